import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, inheritedByContainers, inPodsAndContainers, podTypes } from "./pod-spec.ts";

const path = "securityContext.seccompProfile.type";
const filtered: readonly unknown[] = ["RuntimeDefault", "Localhost"];

export const podSeccomp: ResourceRule = {
  kind: "resource",
  id: "pod-seccomp",
  severity: "medium",
  enforcement: "mandatory",
  protects: "Without a profile a container may make every system call, and most ways out of one begin with a call that no server needs.",
  fix: `Set ${path} to "RuntimeDefault" on the pod.`,
  types: podTypes,
  breaks: inPodsAndContainers({ [path]: "Unconfined" }),
  selects: containerLists,
  judge(resource, verdict) {
    inheritedByContainers(resource, verdict, path, (value) => (filtered.includes(value) ? undefined : `${shown(value)}, not "RuntimeDefault"`));
  },
};
