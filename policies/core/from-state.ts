import { z } from "zod";
import type { ResourceFacts } from "./resource.ts";
import { unknown } from "./value.ts";
import { stackOfUrn } from "./waivers.ts";

/** Marks of Pulumi's state for what is not a plain value (sdk/go/common/resource/sig). */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
/** What an engine that cannot decrypt writes instead. */
const hidden = "[secret]";
const unknownMarks: readonly string[] = ["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", "3eeb2bf0-c639-47a8-9e75-3b44932eb421", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", "030794c1-ac77-496b-92df-f27374a8bd58", "e48ece36-62e2-4504-bad9-02848725956a", "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"];

const urns = z.array(z.string());
const resource = z.object({
  urn: z.string().startsWith("urn:pulumi:"),
  type: z.string(),
  inputs: z.record(z.string(), z.unknown()).nullish(),
  protect: z.boolean().nullish(),
  parent: z.string().nullish(),
  propertyDependencies: z.record(z.string(), urns.nullable()).nullish(),
  external: z.boolean().nullish(),
  delete: z.boolean().nullish(),
});
const exported = z.object({ deployment: z.object({ resources: z.array(resource).nullish(), pending_operations: z.array(z.looseObject({ type: z.string() })).nullish() }) });

/** Everything that a stack owns, as `pulumi stack export` tells it. Throws where it is no export, or that of an
 * update that was broken off. */
export function factsOfState(state: unknown): readonly ResourceFacts[] {
  const read = exported.safeParse(state);
  if (!read.success) throw new Error(`this is not what \`pulumi stack export\` writes: ${read.error.issues.slice(0, 3).map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")}`);
  const pending = read.data.deployment.pending_operations ?? [];
  if (pending.length > 0) throw new Error(`${pending.length} of its resources are in an operation that was broken off, so that the state does not say what is there: run \`pulumi refresh\` first`);
  const owned = (read.data.deployment.resources ?? []).filter((one) => one.type !== "pulumi:pulumi:Stack" && one.external !== true && one.delete !== true);
  return owned.map(({ urn, type, inputs, protect, parent, propertyDependencies }) => ({
    type,
    name: urn.split("::").slice(3).join("::"),
    urn,
    props: Object.fromEntries(Object.entries(inputs ?? {}).map(([key, value]) => [key, plain(value)])),
    protect: protect ?? false,
    parent: parent ?? undefined,
    propertyDependencies: Object.fromEntries(Object.entries(propertyDependencies ?? {}).map(([property, from]) => [property, from ?? []])),
    stack: stackOfUrn(urn),
  }));
}

function plain(value: unknown): unknown {
  if (value === hidden || (typeof value === "string" && unknownMarks.includes(value))) return unknown;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.fromEntries(Object.entries(value));
  if (members[signatureKey] === secretSignature) return typeof members["plaintext"] === "string" ? plain(JSON.parse(members["plaintext"])) : unknown;
  return Object.fromEntries(Object.entries(members).map(([key, one]) => [key, plain(one)]));
}
