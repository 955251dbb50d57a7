import { etcdMember, type PlacedMember } from "../../../plan/config/postgres-files.ts";
import type { EtcdMember } from "../../../plan/config/etcd.ts";
import { storeOf } from "../../../plan/find.ts";
import { etcdName, postgresName, serverNames } from "../../../plan/servers.ts";
import type { Plan } from "../../../plan/types.ts";
import { hostIn, type RegionPlace, type Topology } from "../../topology.ts";

/** How many servers of the database a region has: as many as the plan has live copies there. */
export const serversIn = (plan: Plan, region: string): number =>
  storeOf(plan, "postgres")?.copies.filter((copy) => (copy.kind === "original" || copy.kind === "replica") && copy.region === region).length ?? 0;

const sorted = ({ regions }: Plan, { places }: Topology): readonly RegionPlace[] => regions.flatMap(({ name }) => places.filter(({ region }) => region === name));

/** Every member of production's cluster, in the plan's order of regions. `REGION-SERVER` is its name in Patroni. */
export function productionMembers(plan: Plan, topology: Topology): readonly PlacedMember[] {
  return sorted(plan, topology).flatMap((place) =>
    serverNames(postgresName("production"), serversIn(plan, place.region)).map((server): PlacedMember => {
      const isPrimary = plan.regions.some(({ name, role }) => name === place.region && role === "primary");
      return { name: `${place.region}-${server}`, server, region: place.region, role: isPrimary ? "primary-region" : "secondary-region", host: hostIn(place, server) };
    }),
  );
}

/** A restored database's only one; it founds a cluster of its own, hence the role. */
export const restoredMembers = (place: RegionPlace): readonly PlacedMember[] =>
  serverNames(postgresName("restored"), 1).map((server): PlacedMember => ({ name: `${place.region}-${server}`, server, region: place.region, role: "primary-region", host: hostIn(place, server) }));

/** One a region; `server` is its pod, and as a pod's name is the same in every region, `REGION-SERVER` its own. */
export const productionArbiters = (plan: Plan, topology: Topology): readonly EtcdMember[] => sorted(plan, topology).map(arbiterIn("production"));
export const arbiterIn =
  (standing: "production" | "restored") =>
  (place: RegionPlace): EtcdMember =>
    etcdMember(`${place.region}-${arbiterServer(standing)}`, hostIn(place, arbiterServer(standing)));
export const arbiterServer = (standing: "production" | "restored"): string => `${etcdName(standing)}-0`;
