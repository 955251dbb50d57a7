import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, containersOf, inContainers, podTypes } from "./pod-spec.ts";

const drop = "securityContext.capabilities.drop";
const add = "securityContext.capabilities.add";
/** The only one that the restricted pod security standard lets a container have back. */
const harmless = "NET_BIND_SERVICE";

export const podCapabilities: ResourceRule = {
  kind: "resource",
  id: "pod-capabilities",
  severity: "high",
  enforcement: "mandatory",
  protects: "A capability is a piece of root: with the default ones a stolen container forges packets, changes owners and reads what is not its own.",
  fix: `Set ${drop} to ["ALL"] on each container and add none.`,
  types: podTypes,
  breaks: inContainers({ [drop]: ["NET_RAW"], [add]: ["SYS_ADMIN"] }),
  selects: containerLists,
  judge(resource, verdict) {
    for (const container of containersOf(resource, verdict)) {
      verdict.property(container, drop, (value) => (Array.isArray(value) && value.includes("ALL") ? undefined : `${shown(value)}, without "ALL"`));
      verdict.property(container, add, (value) => (value === undefined || (Array.isArray(value) && value.every((one) => one === harmless)) ? undefined : `${shown(value)}, which gives back what was dropped`));
    }
  },
};
