import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, containersOf, inContainers, inPods, podPathIn, podTypes } from "./pod-spec.ts";

/** What both a pod and its containers say of it. */
const shared: Readonly<Record<string, unknown>> = { "securityContext.appArmorProfile.type": "Unconfined", "securityContext.windowsOptions.hostProcess": true, "securityContext.seLinuxOptions": { type: "spc_t" } };
const procMount = "securityContext.procMount";
const sysctls = "securityContext.sysctls";

const wrong = (path: string) => (value: unknown): string | undefined => {
  if (value === undefined || (path.endsWith("hostProcess") && value === false) || (path.endsWith("appArmorProfile.type") && value !== "Unconfined")) return undefined;
  return `${shown(value)}, which takes away what keeps the pod from its node`;
};

export const podKernel: ResourceRule = {
  kind: "resource",
  id: "pod-kernel",
  severity: "high",
  enforcement: "mandatory",
  protects: "Each of these lifts a fence between a container and its node's kernel, that the restricted standard wants up: one of them is all that an intruder needs.",
  fix: "Leave procMount, sysctls, seLinuxOptions, hostProcess and an unconfined AppArmor profile out of every securityContext.",
  types: podTypes,
  breaks: { ...inPods({ ...Object.fromEntries(Object.entries(shared).map(([path, value]) => [`spec.${path}`, value])), [`spec.${sysctls}`]: [{ name: "kernel.msgmax", value: "1" }] }), ...inContainers({ ...shared, [procMount]: "Unmasked" }) },
  selects: containerLists,
  judge(resource, verdict) {
    const containers = containersOf(resource, verdict);
    for (const path of Object.keys(shared)) {
      verdict.property(resource, podPathIn(resource, `spec.${path}`), wrong(path));
      for (const container of containers) verdict.property(container, path, wrong(path));
    }
    for (const container of containers) verdict.property(container, procMount, (value) => (value === undefined || value === "Default" ? undefined : `${shown(value)}, not "Default"`));
    verdict.property(resource, podPathIn(resource, `spec.${sysctls}`), (value) => (value === undefined || (Array.isArray(value) && value.length === 0) ? undefined : `${shown(value)}, which are settings of the node's kernel`));
  },
};
