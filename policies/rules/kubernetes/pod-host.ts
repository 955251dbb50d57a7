import { nodeLogFolder, shipperName } from "../../../plan/config/log-shipper.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { ResourceRule, Verdict } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, containersOf, everyContainer, everyPod, inContainers, inPods, membersOf, podPathIn, podTypes } from "./pod-spec.ts";

const shared = ["hostNetwork", "hostPID", "hostIPC"] as const;
/** What the restricted standard lets a volume be; all else is the node's, or somebody's by the network. */
const ordinary: readonly string[] = ["name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
const privileged = "securityContext.privileged";

/**
 * The one exception: what containers say lies on their node and nowhere else, so the log shipper's DaemonSet sees that one
 * folder, to read. The label is no secret: who may declare a pod with it may as well read the logs by the cluster's API.
 */
function isLogFolder(resource: ResourceReader, volume: ResourceReader): boolean {
  const says = (reader: ResourceReader, path: string | readonly string[], value: string): boolean => {
    const reading = reader.read(path);
    return reading.state === "known" && reading.value === value;
  };
  const label = [...podPathIn(resource, "metadata.labels").split("."), "app.kubernetes.io/name"];
  return resource.facts.type === "kubernetes:apps/v1:DaemonSet" && says(resource, label, shipperName) && says(volume, "hostPath.path", nodeLogFolder);
}

/** Wherever the volume is mounted. */
function mustBeRead(volume: ResourceReader, containers: readonly ResourceReader[], verdict: Verdict): void {
  const name = volume.read("name");
  for (const mount of containers.flatMap((container) => membersOf(container, "volumeMounts", verdict) ?? [])) {
    const mounted = mount.read("name");
    if (name.state !== "known" || mounted.state !== "known") verdict.unjudged(mount, mount.pathOf("name"));
    else if (mounted.value === name.value) verdict.property(mount, "readOnly", (value) => (value === true ? undefined : `${shown(value)}, so that the node's logs can be written`));
  }
}

export const podHost: ResourceRule = {
  kind: "resource",
  id: "pod-host",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A pod that shares its node's network, processes or files passes by every network policy and reads what all other pods of the node hold.",
  fix: "Leave hostNetwork, hostPID, hostIPC, hostPath, hostPort and privileged out, and volumes that the restricted standard does not name; the log shipper mounts its node's logs to read.",
  types: podTypes,
  breaks: {
    ...inPods({ ...Object.fromEntries(shared.map((field) => [`spec.${field}`, true])), "spec.volumes[*]": { name: "node", hostPath: { path: "/" } } }),
    ...inContainers({ [privileged]: true, "ports[*].hostPort": 443 }),
  },
  selects: [...containerLists, ...everyPod("spec.volumes"), ...everyContainer("ports")],
  judge(resource, verdict) {
    for (const field of shared) verdict.property(resource, podPathIn(resource, `spec.${field}`), (value) => (value === undefined || value === false ? undefined : shown(value)));
    const unsetOnly = (value: unknown) => (value === undefined ? undefined : shown(value));
    const containers = containersOf(resource, verdict);
    for (const volume of membersOf(resource, podPathIn(resource, "spec.volumes"), verdict) ?? []) {
      if (volume.stateOf([]) === "unknown") verdict.unjudged(volume, volume.where);
      for (const kind of volume.keys([]).filter((key) => !ordinary.includes(key))) {
        if (kind === "hostPath" && isLogFolder(resource, volume)) mustBeRead(volume, containers, verdict);
        else verdict.property(volume, kind, unsetOnly);
      }
    }
    for (const container of containers) {
      verdict.property(container, privileged, (value) => (value === undefined || value === false ? undefined : shown(value)));
      for (const port of membersOf(container, "ports", verdict) ?? []) verdict.property(port, "hostPort", unsetOnly);
    }
  },
};
