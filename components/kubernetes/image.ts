/** `REGISTRY/NAME@sha256:DIGEST`: a tag can come to mean another image between two drills. */
const byDigest = /^[^\s@]+@sha256:[0-9a-f]{64}$/;
/** An image that was loaded into the node and stands in no registry: `local/NAME:TAG`, for tests. */
const local = /^local\/[a-z0-9._/-]+:[A-Za-z0-9._-]+$/;

/** What is wrong with an image's name; `undefined` where nothing is. */
export const imageProblem = (image: string): string | undefined =>
  byDigest.test(image) || local.test(image) ? undefined : `image: ${JSON.stringify(image)} names no digest; write REGISTRY/NAME@sha256:DIGEST`;

export const pullPolicyOf = (image: string): "Never" | "IfNotPresent" => (local.test(image) ? "Never" : "IfNotPresent");
