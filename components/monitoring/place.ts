import { regionOf } from "../../plan/find.ts";
import type { Plan } from "../../plan/types.ts";
import { topologyProblems, type Topology } from "../topology.ts";

/** A region, and where its objects go. */
export interface MonitoredRegion {
  readonly plan: Plan;
  /** By the plan's name. */
  readonly region: string;
  readonly topology: Topology;
}

export const placeProblems = ({ plan, region, topology }: MonitoredRegion): readonly string[] => [
  ...(regionOf(plan, region) === undefined ? [`region: ${region} is no region of the plan`] : []),
  ...topologyProblems(plan, topology),
];

/** @throws RangeError where the topology does not name the region: see `placeProblems` */
export function namespaceIn({ region, topology }: MonitoredRegion): string {
  const place = topology.places.find((one) => one.region === region);
  if (place === undefined) throw new RangeError(`the topology has no place for ${region}`);
  return place.namespace;
}

/** Labels that every alert of a region carries: Alertmanager's operator sends an alert only by configurations of the
 * namespace that it names. */
export const alertLabels = (place: MonitoredRegion): Readonly<Record<string, string>> => ({ namespace: namespaceIn(place), region: place.region });

export const prometheusApi = "monitoring.coreos.com";
