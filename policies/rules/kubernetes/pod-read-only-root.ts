import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, eachContainer, inContainers, podTypes } from "./pod-spec.ts";

const path = "securityContext.readOnlyRootFilesystem";

export const podReadOnlyRoot: ResourceRule = {
  kind: "resource",
  id: "pod-read-only-root",
  severity: "medium",
  enforcement: "mandatory",
  protects: "Where the image can be written, an intruder replaces the very tool that the next backup runs, and what is written beside the volumes fills the node.",
  fix: `Set ${path} to true on each container, and mount a volume for what it writes.`,
  types: podTypes,
  breaks: inContainers({ [path]: false }),
  selects: containerLists,
  judge(resource, verdict) {
    eachContainer(resource, verdict, path, (value) => (value === true ? undefined : `${shown(value)}, not true`));
  },
};
