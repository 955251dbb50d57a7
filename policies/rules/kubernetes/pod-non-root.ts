import type { ResourceRule } from "../../core/rule.ts";
import { containerLists, inheritedByContainers, inPodsAndContainers, podTypes, shown } from "./pod-spec.ts";

const path = "securityContext.runAsNonRoot";

export const podNonRoot: ResourceRule = {
  kind: "resource",
  id: "pod-non-root",
  severity: "high",
  enforcement: "mandatory",
  protects: "Whoever breaks out of a container that runs as root is root on the node, with every volume and token on it.",
  fix: `Set ${path} to true on the pod.`,
  types: podTypes,
  breaks: inPodsAndContainers({ [path]: false }),
  selects: containerLists,
  judge(resource, verdict) {
    inheritedByContainers(resource, verdict, path, (value) => (value === true ? undefined : `${shown(value)}, not true`));
  },
};
