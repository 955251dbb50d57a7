import type { ResourceReader } from "../../core/resource.ts";
import type { Verdict } from "../../core/rule.ts";
import { ofType, types } from "./parts.ts";

/** A rule of Prometheus as a resource declares it. */
export interface AlertRule {
  readonly alert: string;
  readonly reader: ResourceReader;
  /** `undefined` where it is not known before `up`, which is reported. */
  readonly expr: string | undefined;
}

/** The rules with one of these names, in every PrometheusRule of a stack. */
export function rulesNamed(members: readonly ResourceReader[], names: readonly string[], verdict: Verdict): readonly AlertRule[] {
  return ofType(members, types.alerts).flatMap((resource) => {
    const groups = resource.list("spec.groups");
    if (groups === undefined) verdict.unjudged(resource, "spec.groups");
    return (groups ?? []).flatMap((group) => group.list("rules") ?? []).flatMap((reader): readonly AlertRule[] => {
      const alert = reader.read("alert");
      if (alert.state !== "known" || !names.includes(String(alert.value))) return [];
      const expr = reader.read("expr");
      if (expr.state === "unknown") verdict.unjudged(reader, reader.pathOf("expr"));
      if (reader.read("for").state === "unknown") verdict.unjudged(reader, reader.pathOf("for"));
      return [{ alert: String(alert.value), reader, expr: expr.state === "unknown" ? undefined : expr.state === "known" ? String(expr.value) : "" }];
    });
  });
}

const unitSeconds: Readonly<Record<string, number>> = { ms: 1e-3, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** Prometheus' durations, e.g. `1h30m`, in seconds; unset is at once, and what is none is `undefined`. */
export function promSeconds(value: unknown): number | undefined {
  if (value === undefined) return 0;
  if (typeof value !== "string" || !/^(\d+(ms|[smhdw]))+$/.test(value)) return undefined;
  return [...value.matchAll(/(\d+)(ms|[smhdw])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (unitSeconds[unit ?? ""] ?? 0), 0);
}
