import { parseVersion } from "../../../plan/config/version.ts";
import { storeOf } from "../../../plan/find.ts";
import type { Plan, Region, StoreName } from "../../../plan/types.ts";
import { imageProblem } from "../../kubernetes/image.ts";
import { topologyProblems } from "../../topology.ts";
import type { StorageArgs, StoreArgs } from "../store-args.ts";

const quantity = /^[1-9]\d*[MGT]i$/;
const cidr = /^(?:\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/;
const namespaceName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A role of a store: `primary`, `standby` and `witness` belong to one region of the plan, `restored` to any. */
export interface StoreRole {
  readonly kind: "primary" | "standby" | "witness" | "restored";
  readonly namespace?: string;
}
const regionOf: Readonly<Record<Exclude<StoreRole["kind"], "restored">, Region["role"]>> = { primary: "primary", standby: "secondary", witness: "witness" };

/** Everything that is wrong with what all stores are told. */
export function storeProblems(store: StoreName, args: StoreArgs & { readonly role: StoreRole }): readonly string[] {
  const { image, issuer, networks, plan, region, resources, role, topology, version } = args;
  return [
    ...(storeOf(plan, store) === undefined ? [`plan: it has no store ${store}`] : []),
    ...topologyProblems(plan, topology),
    ...regionProblems(plan, region, role),
    ...[imageProblem(image)].filter((problem) => problem !== undefined),
    ...(parseVersion(version) === undefined ? [`version: ${JSON.stringify(version)} is no version, as 7.0.15 is`] : []),
    ...(issuer.name === "" ? ["issuer: it has no name"] : []),
    ...networkProblems("networks", networks),
    ...(resources !== undefined && !quantity.test(resources.memory) ? [`resources.memory: ${JSON.stringify(resources.memory)} is no size, as 4Gi is`] : []),
    ...(role.namespace !== undefined && !namespaceName.test(role.namespace) ? [`role.namespace: ${JSON.stringify(role.namespace)} is no name of a namespace`] : []),
  ];
}

export const networkProblems = (field: string, networks: readonly string[] = []): readonly string[] =>
  networks.filter((network) => !cidr.test(network)).map((network) => `${field}: ${JSON.stringify(network)} is no range of addresses, as 10.0.0.0/8 is`);

function regionProblems(plan: Plan, name: string, role: StoreRole): readonly string[] {
  const region = plan.regions.find((one) => one.name === name);
  if (region === undefined) return [`region: ${JSON.stringify(name)} is no region of the plan; it has ${plan.regions.map((one) => one.name).join(", ")}`];
  if (role.kind === "restored" || region.role === regionOf[role.kind]) return [];
  return [`region: the role ${role.kind} belongs to the plan's ${regionOf[role.kind]} region, and ${name} is the ${region.role} one`];
}

/** What is wrong with the volumes of servers that need them. */
export function storageProblems(storage: StorageArgs): readonly string[] {
  return [
    ...(storage.className === "" ? ["storage.className: it is empty; the cluster's default class is another in every cluster"] : []),
    ...(quantity.test(storage.size) ? [] : [`storage.size: ${JSON.stringify(storage.size)} is no size, as 20Gi is`]),
  ];
}
