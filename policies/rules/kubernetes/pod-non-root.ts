import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, inheritedByContainers, inPodsAndContainers, podPathIn, podTypes } from "./pod-spec.ts";

const path = "securityContext.runAsNonRoot";
const user = "securityContext.runAsUser";

export const podNonRoot: ResourceRule = {
  kind: "resource",
  id: "pod-non-root",
  severity: "high",
  enforcement: "mandatory",
  protects: "Whoever breaks out of a container that runs as root is root on the node, with every volume and token on it.",
  fix: `Set ${path} to true on the pod, and no runAsUser to 0.`,
  types: podTypes,
  breaks: inPodsAndContainers({ [path]: false, [user]: 0 }),
  selects: containerLists,
  judge(resource, verdict) {
    const containers = inheritedByContainers(resource, verdict, path, (value) => (value === true ? undefined : `${shown(value)}, not true`));
    const isRoot = (value: unknown): string | undefined => (value === 0 || value === "0" ? `${shown(value)}, which is root: the pod would never start` : undefined);
    verdict.property(resource, podPathIn(resource, `spec.${user}`), isRoot);
    for (const container of containers) verdict.property(container, user, isRoot);
  },
};
