import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, eachContainer, inContainers, podTypes } from "./pod-spec.ts";

const path = "securityContext.allowPrivilegeEscalation";

export const podEscalation: ResourceRule = {
  kind: "resource",
  id: "pod-escalation",
  severity: "high",
  enforcement: "mandatory",
  protects: "A process that may gain rights turns any setuid file in the image into root inside the container that holds the backups' keys.",
  fix: `Set ${path} to false on each container.`,
  types: podTypes,
  breaks: inContainers({ [path]: true }),
  selects: containerLists,
  judge(resource, verdict) {
    eachContainer(resource, verdict, path, (value) => (value === false ? undefined : `${shown(value)}, not false`));
  },
};
