import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, eachContainer, inContainers, podTypes } from "./pod-spec.ts";

const byDigest = /^[^\s@]+@sha256:[0-9a-f]{64}$/;
/** Loaded into the node by a test and in no registry, so it has no digest. */
const ofTest = /^local\/\S+$/;

export const imageDigest: ResourceRule = {
  kind: "resource",
  id: "image-digest",
  severity: "high",
  enforcement: "mandatory",
  protects: "A tag can come to mean another image: what recovers in the disaster is then not what the drill proved, or is somebody else's.",
  fix: "Write the image as REGISTRY/NAME@sha256:DIGEST.",
  types: podTypes,
  breaks: inContainers({ image: "registry.example/blackroad-dr:latest" }),
  selects: containerLists,
  judge(resource, verdict) {
    const allowed = (image: string) => byDigest.test(image) || (!verdict.production && ofTest.test(image));
    eachContainer(resource, verdict, "image", (image) => (typeof image === "string" && allowed(image) ? undefined : `${shown(image)}, which names no digest`));
  },
};
