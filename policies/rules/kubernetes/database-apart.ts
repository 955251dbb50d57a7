import type { ResourceRule } from "../../core/rule.ts";
import { hasUnknown, readPath, unknown } from "../../core/value.ts";
import { databaseTypes, holdsState, isDatabase } from "./database.ts";
import { matches, podLabels, valueAt } from "./selector.ts";

const affinity = "spec.template.spec.affinity";
const labelsPath = "spec.template.metadata.labels";
const topologies: readonly unknown[] = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"];

export const databaseApart: ResourceRule = {
  kind: "resource",
  id: "database-apart",
  severity: "high",
  enforcement: "mandatory",
  protects: "Two servers of a store on one node die together: the synchronous replica that was to keep every transaction goes with its leader.",
  fix: `Set ${affinity}.podAntiAffinity for the servers' own labels over kubernetes.io/hostname, required where they hold data.`,
  types: databaseTypes,
  breaks: { [affinity]: {}, [labelsPath]: {} },
  selects: ["spec.replicas"],
  judge(resource, verdict) {
    // A drill's cluster may be small, and what is lost in it is lost on purpose.
    if (!verdict.production || !isDatabase(resource)) return;
    const replicas = valueAt(resource, "spec.replicas") ?? 1;
    if (replicas === 1 || replicas === 0) return;
    if (replicas === unknown) verdict.unjudged(resource, "spec.replicas");
    const labels = podLabels(resource);
    if (labels === unknown) verdict.unjudged(resource, labelsPath);
    verdict.property(resource, affinity, (value) => {
      const terms = termsOf(value, holdsState(resource));
      if (terms.some((term) => keepsApart(term, labels))) return undefined;
      return labels === unknown || hasUnknown(value) ? undefined : `keeps none of ${typeof replicas === "number" ? replicas : "its"} servers on another node than the next`;
    });
  },
};

/** Required ones; what holds nothing may also only prefer it. */
function termsOf(value: unknown, required: boolean): readonly unknown[] {
  const listed = (name: string): readonly unknown[] => {
    const reading = readPath(value, ["podAntiAffinity", name]);
    return reading.state === "known" && Array.isArray(reading.value) ? reading.value : [];
  };
  const preferred = listed("preferredDuringSchedulingIgnoredDuringExecution").map((one) => {
    const term = readPath(one, ["podAffinityTerm"]);
    return term.state === "known" ? term.value : undefined;
  });
  return [...listed("requiredDuringSchedulingIgnoredDuringExecution"), ...(required ? [] : preferred)];
}

function keepsApart(term: unknown, labels: unknown): boolean {
  const selector = readPath(term, ["labelSelector"]);
  const topology = readPath(term, ["topologyKey"]);
  return topology.state === "known" && topologies.includes(topology.value) && selector.state === "known" && matches(selector.value, labels) === "yes";
}
