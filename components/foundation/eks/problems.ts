import type { EksCluster, NodeGroup } from "../cluster-choice.ts";
import { isPrivate, parseCidr } from "../cidr.ts";
import { longestRoleName, rolesOf } from "./roles.ts";
import { mostZones } from "./subnets.ts";

type Problem = string | false;

/** What is wrong with a cluster that is to be made. */
export function eksProblems(eks: EksCluster, region: string, cluster: string): readonly Problem[] {
  const longest = Math.max(...Object.values(rolesOf).map((part) => `${cluster}-${part}`.length));
  return [
    !/^1\.\d{2}$/.test(eks.version) && `cluster.version: ${JSON.stringify(eks.version)} is no version of Kubernetes; write e.g. 1.34`,
    longest > longestRoleName && `cluster: the name ${cluster} makes roles' names of ${longest} characters; IAM takes ${longestRoleName}`,
    ...networkProblems(eks.network, region),
    ...nodeProblems(eks.nodes),
    ...eks.apiAccess.map(accessProblem),
    eks.administrators.length === 0 && "cluster.administrators: nobody could do anything in the cluster, not even `pulumi up`; name its role",
    ...repeated(eks.administrators).map((arn) => `cluster.administrators: ${arn} is named twice`),
    ...eks.administrators.map((arn) => !/^arn:aws:iam::\d{12}:(role|user)\/\S+$/.test(arn) && `cluster.administrators: ${JSON.stringify(arn)} is no ARN of an IAM role`),
    eks.secretsKeyAlias !== undefined && !eks.secretsKeyAlias.startsWith("alias/") && `cluster.secretsKeyAlias: ${JSON.stringify(eks.secretsKeyAlias)} does not start with alias/`,
  ];
}

const repeated = (values: readonly string[]): readonly string[] => [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];

function networkProblems({ cidr, zones }: EksCluster["network"], region: string): readonly Problem[] {
  const range = parseCidr(cidr);
  return [
    range === undefined && `cluster.network.cidr: ${JSON.stringify(cidr)} is no IPv4 range, e.g. 10.20.0.0/16`,
    range !== undefined && !isPrivate(range) && `cluster.network.cidr: ${cidr} is not private; it would hide what is there on the internet`,
    range !== undefined && (range.prefix < 16 || range.prefix > 20) && `cluster.network.cidr: ${cidr} must be /16 to /20: AWS takes no wider one, and a narrower one runs out of addresses for pods`,
    zones.length < 2 && `cluster.network.zones: ${zones.length} of at least 2; with one, its loss is the region's`,
    zones.length > mostZones && `cluster.network.zones: ${zones.length} are more than ${mostZones}`,
    ...repeated(zones).map((zone) => `cluster.network.zones: ${zone} is named twice`),
    ...zones.map((zone) => !new RegExp(`^${region}[a-z]$`).test(zone) && `cluster.network.zones: ${zone} is no zone of ${region}, e.g. ${region}a`),
  ];
}

function nodeProblems(groups: readonly NodeGroup[]): readonly Problem[] {
  return [
    groups.length === 0 && "cluster.nodes: there is no group; nothing could run",
    ...repeated(groups.map(({ name }) => name)).map((name) => `cluster.nodes: ${name} is named twice`),
    ...groups.flatMap(({ name, instanceTypes, perZone: { min, desired, max } }) => [
      !/^[a-z][a-z0-9-]{0,19}$/.test(name) && `cluster.nodes: ${JSON.stringify(name)} must be at most 20 lower-case letters, digits and hyphens`,
      instanceTypes.length === 0 && `cluster.nodes: ${name} has no instance type`,
      !([min, desired, max].every(Number.isInteger) && min >= 0 && min <= desired && desired <= max && max >= 1) && `cluster.nodes: ${name}: ${min} ≤ ${desired} ≤ ${max} nodes per zone does not hold, or they are no whole numbers`,
    ]),
  ];
}

function accessProblem(cidr: string): Problem {
  const range = parseCidr(cidr);
  if (range === undefined) return `cluster.apiAccess: ${JSON.stringify(cidr)} is no IPv4 range, e.g. 203.0.113.0/24`;
  return range.prefix < 8 && `cluster.apiAccess: ${cidr} is nearly everybody; name the runners' and the office's addresses`;
}
