/** How Kubernetes finds pods: by namespace and labels. */
import type { ResourceReader } from "../../core/resource.ts";
import { readPath, unknown } from "../../core/value.ts";
import { podPathIn } from "./pod-spec.ts";

/** `unknown` where a value that decides is not known before `up`. */
export type Match = "yes" | "no" | "unknown";

/** Whether a label selector takes these labels; an empty one takes all, none at all takes nothing. */
export function matches(selector: unknown, labels: unknown): Match {
  if (selector === unknown) return "unknown";
  if (typeof selector !== "object" || selector === null) return "no";
  const exact = readPath(selector, ["matchLabels"]);
  const expressions = readPath(selector, ["matchExpressions"]);
  if (exact.state === "unknown" || expressions.state === "unknown") return "unknown";
  const labelled = exact.state === "known" && typeof exact.value === "object" && exact.value !== null ? Object.entries(exact.value) : [];
  return all([
    ...labelled.map(([key, value]) => equal(label(labels, key), value)),
    ...(expressions.state === "known" && Array.isArray(expressions.value) ? expressions.value.map((one: unknown) => holds(one, labels)) : []),
  ]);
}

/** Whether a selector takes every pod. */
export const isEverything = (selector: unknown): Match => matches(selector, {});

export function all(parts: readonly Match[]): Match {
  if (parts.includes("no")) return "no";
  return parts.includes("unknown") ? "unknown" : "yes";
}

export function any(parts: readonly Match[]): Match {
  if (parts.includes("yes")) return "yes";
  return parts.includes("unknown") ? "unknown" : "no";
}

/** A value that may be unknown, against another. */
export function equal(one: unknown, other: unknown): Match {
  if (one === unknown || other === unknown) return "unknown";
  return one === other ? "yes" : "no";
}

function label(labels: unknown, key: string): unknown {
  const reading = readPath(labels, [key]);
  if (reading.state === "unknown") return unknown;
  return reading.state === "known" ? reading.value : undefined;
}

function holds(expression: unknown, labels: unknown): Match {
  const part = (name: string) => label(expression, name);
  const [key, operator, values] = [part("key"), part("operator"), part("values")];
  if (typeof key !== "string" || operator === unknown || values === unknown) return "unknown";
  const value = label(labels, key);
  if (value === unknown) return "unknown";
  const listed = Array.isArray(values) && values.includes(value);
  switch (operator) {
    case "In":
      return listed ? "yes" : "no";
    case "NotIn":
      return listed ? "no" : "yes";
    case "Exists":
      return value === undefined ? "no" : "yes";
    case "DoesNotExist":
      return value === undefined ? "yes" : "no";
    default:
      return "unknown";
  }
}

/** What stands at a path, with `unknown` and `undefined` as they are. */
export function valueAt(resource: ResourceReader, path: string): unknown {
  const reading = resource.read(path);
  if (reading.state === "unknown") return unknown;
  return reading.state === "known" ? reading.value : undefined;
}

/** Kubernetes' own name for where nothing is said. */
export const namespaceOf = (resource: ResourceReader): unknown => valueAt(resource, "metadata.namespace") ?? "default";
/** Of the pods that a resource runs. */
export const podLabels = (resource: ResourceReader): unknown => valueAt(resource, podPathIn(resource, "metadata.labels"));

/** Clusters of different stacks have namespaces of the same name. */
export const sameStack = (one: ResourceReader, other: ResourceReader): boolean => one.facts.stack === other.facts.stack;
