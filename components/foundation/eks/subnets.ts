import { formatCidr, parseCidr, part } from "../cidr.ts";

/** A zone's two ranges in a cluster's network. */
export interface ZoneRanges {
  readonly zone: string;
  /** For nodes and pods: an eighth of the network, as each pod has an address of its own. */
  readonly private: string;
  /** For NAT and load balancers alone: a 64th. */
  readonly public: string;
}

/** As many eighths as there are, less the last one, which the public subnets share. */
export const mostZones = 7;

/**
 * Divides a network among zones. A zone that is added at the end leaves the others' ranges as they are.
 * @throws RangeError where `cidr` is none: `eksProblems` says so before
 */
export function rangesOf(cidr: string, zones: readonly string[]): readonly ZoneRanges[] {
  const network = parseCidr(cidr);
  if (network === undefined) throw new RangeError(`${cidr} is no IPv4 range`);
  const rest = part(network, 3, mostZones);
  return zones.map((zone, index) => ({ zone, private: formatCidr(part(network, 3, index)), public: formatCidr(part(rest, 3, index)) }));
}
