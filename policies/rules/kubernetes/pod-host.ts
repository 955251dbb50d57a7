import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, containersOf, everyContainer, everyPod, inContainers, inPods, membersOf, podPathIn, podTypes } from "./pod-spec.ts";

const shared = ["hostNetwork", "hostPID", "hostIPC"] as const;
/** What the restricted standard lets a volume be; all else is the node's, or somebody's by the network. */
const ordinary: readonly string[] = ["name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
const privileged = "securityContext.privileged";

export const podHost: ResourceRule = {
  kind: "resource",
  id: "pod-host",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A pod that shares its node's network, processes or files passes by every network policy and reads what all other pods of the node hold.",
  fix: "Leave hostNetwork, hostPID, hostIPC, hostPath, hostPort and privileged out, and volumes that the restricted standard does not name.",
  types: podTypes,
  breaks: {
    ...inPods({ ...Object.fromEntries(shared.map((field) => [`spec.${field}`, true])), "spec.volumes[*]": { name: "node", hostPath: { path: "/" } } }),
    ...inContainers({ [privileged]: true, "ports[*].hostPort": 443 }),
  },
  selects: [...containerLists, ...everyPod("spec.volumes"), ...everyContainer("ports")],
  judge(resource, verdict) {
    for (const field of shared) verdict.property(resource, podPathIn(resource, `spec.${field}`), (value) => (value === undefined || value === false ? undefined : shown(value)));
    const unsetOnly = (value: unknown) => (value === undefined ? undefined : shown(value));
    for (const volume of membersOf(resource, podPathIn(resource, "spec.volumes"), verdict) ?? []) {
      if (volume.stateOf([]) === "unknown") verdict.unjudged(volume, volume.where);
      for (const kind of volume.keys([]).filter((key) => !ordinary.includes(key))) verdict.property(volume, kind, unsetOnly);
    }
    for (const container of containersOf(resource, verdict)) {
      verdict.property(container, privileged, (value) => (value === undefined || value === false ? undefined : shown(value)));
      for (const port of membersOf(container, "ports", verdict) ?? []) verdict.property(port, "hostPort", unsetOnly);
    }
  },
};
