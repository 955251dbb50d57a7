import type { NamedServer } from "../../../plan/config/redis-files.ts";
import type { Endpoint } from "../../../plan/config/redis-start.ts";
import { ports, redisName, redisServers, sentinelName, serverNames, type Standing } from "../../../plan/servers.ts";
import type { Plan } from "../../../plan/types.ts";
import { hostIn, placeOf, type RegionPlace, type Topology } from "../../topology.ts";

/** A recovered server is one alone: it has the backup's data, and replicas are made of it later. */
const restoredServers = 1;

/** The servers in a region of that role, as everybody reaches them. */
export function serversIn(place: RegionPlace, role: "primary" | "standby" | "witness" | "restored"): readonly NamedServer[] {
  const standing: Standing = role === "restored" ? "restored" : "production";
  const count = role === "restored" ? restoredServers : redisServers[role === "standby" ? "secondary" : role];
  return serverNames(redisName(standing), count).map((name) => ({ name, host: hostIn(place, name), port: ports.redis }));
}

const [onlySentinel = sentinelName] = serverNames(sentinelName, 1);
export const sentinelIn = (place: RegionPlace): NamedServer => ({ name: onlySentinel, host: hostIn(place, onlySentinel), port: ports.sentinel });

/** One in each region, in the plan's order. */
export const sentinelsOf = (plan: Plan, topology: Topology): readonly Endpoint[] => plan.regions.map(({ role }) => sentinelIn(placeOf(plan, topology, role)));

/** The primary of a system that never ran; later it is what the Sentinels say. */
export function firstPrimary(plan: Plan, topology: Topology): NamedServer {
  const [first] = serversIn(placeOf(plan, topology, "primary"), "primary");
  if (first === undefined) throw new RangeError("the primary region has no Redis");
  return first;
}
