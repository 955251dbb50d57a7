/** The ordeals as a table: which step was hit how often, and what came of it. Pure. */
import type { Hit, Ordeal } from "./ordeal.ts";

export interface Row {
  readonly job: string;
  readonly step: string;
  readonly times: number;
  /** Of these, how often the record of the backup stood by then. */
  readonly recorded: number;
  /** How often the next run did its work, and everything held. */
  readonly wellAfter: number;
}

export const held = ({ hits, breaches }: Ordeal): boolean => breaches.length === 0 && hits.every((hit) => hit.breaches.length === 0);

/** In the order in which the steps follow each other: by when they were hit on average. */
export function rowsOf({ job, hits }: Ordeal): Row[] {
  const bySteps = Map.groupBy(hits, ({ step }) => step);
  const meanOf = (of: readonly Hit[]): number => of.reduce((sum, { at }) => sum + at, 0) / of.length;
  return [...bySteps]
    .sort(([, a], [, b]) => meanOf(a) - meanOf(b))
    .map(([step, of]) => ({ job, step, times: of.length, recorded: of.filter(({ recorded }) => recorded).length, wellAfter: of.filter(({ breaches }) => breaches.length === 0).length }));
}

const secondsText = (values: readonly number[]): string => {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(1));
  return least === most ? `${least ?? ""} s` : `${least ?? ""}–${most ?? ""} s`;
};

/** As Markdown. */
export function tableOf(ordeals: readonly Ordeal[]): string {
  const lines = ordeals.flatMap((ordeal) =>
    rowsOf(ordeal).map(({ step, times, recorded, wellAfter }, place) => {
      const job = place === 0 ? `${ordeal.job} (${secondsText(ordeal.seconds)})` : "";
      return `| ${job} | ${step} | ${times}${recorded === 0 ? "" : `, ${recorded === times ? "all" : recorded} behind its record`} | ${wellAfter === times ? "good" : `NOT GOOD ${times - wellAfter} times`} |`;
    }),
  );
  return ["| job (how long it takes) | step that was hit | times | next run |", "|---|---|---|---|", ...lines].join("\n");
}

/** What did not hold, each named; empty: all did. */
export function breachesOf(ordeals: readonly Ordeal[]): string[] {
  return ordeals.flatMap(({ job, breaches, hits }) => [...breaches.map((breach) => `${job}: ${breach}`), ...hits.flatMap(({ at, step, breaches: of }) => of.map((breach) => `${job}, killed after ${at.toFixed(2)} s in "${step}": ${breach}`))]);
}
