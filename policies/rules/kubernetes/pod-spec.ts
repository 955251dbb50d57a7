/** Pods stand in many kinds of Kubernetes, each time at another path: what rules about pods read them by. */
import type { ResourceReader } from "../../core/resource.ts";
import type { Verdict } from "../../core/rule.ts";

/** By type, where the pod is described: its `metadata` and its `spec`. */
const podPaths: Readonly<Record<string, string>> = {
  "kubernetes:core/v1:Pod": "",
  "kubernetes:apps/v1:Deployment": "spec.template",
  "kubernetes:apps/v1:StatefulSet": "spec.template",
  "kubernetes:apps/v1:DaemonSet": "spec.template",
  "kubernetes:apps/v1:ReplicaSet": "spec.template",
  "kubernetes:core/v1:ReplicationController": "spec.template",
  "kubernetes:batch/v1:Job": "spec.template",
  "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template",
};
/** Everything that runs pods. */
export const podTypes: readonly string[] = Object.keys(podPaths);

/**
 * A path of the pod inside the resource that runs it, e.g. of `spec.hostNetwork` or `metadata.labels`.
 * @throws RangeError where the type runs no pods
 */
export function podPath(type: string, path: string): string {
  const prefix = podPaths[type];
  if (prefix === undefined) throw new RangeError(`${type} runs no pods`);
  return prefix === "" ? path : `${prefix}.${path}`;
}
export const podPathIn = (resource: ResourceReader, path: string): string => podPath(resource.facts.type, path);

/** For `breaks` and `selects`: the same path of the pod in each kind. */
export const everyPod = (path: string): readonly string[] => [...new Set(podTypes.map((type) => podPath(type, path)))];
export const inPods = (breaks: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(breaks).flatMap(([path, value]) => everyPod(path).map((one) => [one, value])));

const containerFields = ["containers", "initContainers", "ephemeralContainers"] as const;
/** The same, of each container. */
export const inContainers = (breaks: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  inPods(Object.fromEntries(Object.entries(breaks).flatMap(([path, value]) => containerFields.map((field) => [`spec.${field}[*].${path}`, value]))));
export const everyContainer = (path: string): readonly string[] => Object.keys(inContainers({ [path]: undefined }));
/** The lists that containers are found by. */
export const containerLists: readonly string[] = containerFields.flatMap((field) => everyPod(`spec.${field}`));

/** Every container that a pod starts. A pod that names none is a violation: nothing of it could be judged. */
export function containersOf(resource: ResourceReader, verdict: Verdict): readonly ResourceReader[] {
  return containerFields.flatMap((field) => {
    const path = podPathIn(resource, `spec.${field}`);
    const listed = membersOf(resource, path, verdict);
    if (listed?.length === 0 && field === "containers") verdict.violation(resource, resource.pathOf(path), "names no container");
    return listed ?? [];
  });
}

/** The members of a list; `undefined`, and said so, where it is not known. */
export function membersOf(resource: ResourceReader, path: string, verdict: Verdict): readonly ResourceReader[] | undefined {
  const members = resource.list(path);
  if (members === undefined) verdict.unjudged(resource, resource.pathOf(path));
  return members;
}

/** One property of each container. */
export function eachContainer(resource: ResourceReader, verdict: Verdict, path: string, wrong: (value: unknown) => string | undefined): void {
  for (const container of containersOf(resource, verdict)) verdict.property(container, path, wrong);
}

/** A property that a container has from its pod where it has none of its own; gives the containers, for more of them. */
export function inheritedByContainers(resource: ResourceReader, verdict: Verdict, path: string, wrong: (value: unknown) => string | undefined): readonly ResourceReader[] {
  const containers = containersOf(resource, verdict);
  const own = containers.filter((container) => container.read(path).state !== "unset");
  for (const container of own) verdict.property(container, path, wrong);
  if (own.length < containers.length) verdict.property(resource, podPathIn(resource, `spec.${path}`), wrong);
  return containers;
}
export const inPodsAndContainers = (breaks: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  ...inContainers(breaks),
  ...inPods(Object.fromEntries(Object.entries(breaks).map(([path, value]) => [`spec.${path}`, value]))),
});
