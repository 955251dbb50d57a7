import type { Acknowledgement, Interruption, LagSample, Ledger, Resumption, WorkloadStore } from "./ledger.ts";
import { inRanges, type TickRange } from "./schedule.ts";

export interface Loss {
  /** The disaster's time less that of the first acknowledged heartbeat that is missing, in seconds; 0: none is. */
  readonly rpoSeconds: number;
  /** Acknowledged before the disaster, and missing. */
  readonly acknowledgedLost: number;
  readonly firstMissing: Acknowledgement | undefined;
}

export interface LossQuestion {
  readonly store: WorkloadStore;
  /** Milliseconds since 1970. What was acknowledged later is not this disaster's loss. */
  readonly disasterAt: number;
  /** The heartbeats that the recovered store holds. A gap in them is loss from the gap on. */
  readonly present: readonly TickRange[];
  /** Lost by an earlier disaster, and already counted there. */
  readonly alreadyLost?: readonly TickRange[];
}

/** Measures what a recovery lost, from the acknowledgements and from what was found. Pure. */
export function measureRpo(ledger: Pick<Ledger, "acknowledged">, { store, disasterAt, present, alreadyLost = [] }: LossQuestion): Loss {
  const missing = ledger.acknowledged[store].filter(({ tick, at }) => at <= disasterAt && !inRanges(tick, present) && !inRanges(tick, alreadyLost));
  const firstMissing = missing.reduce<Acknowledgement | undefined>((first, next) => (first === undefined || next.at < first.at ? next : first), undefined);
  return { rpoSeconds: firstMissing === undefined ? 0 : (disasterAt - firstMissing.at) / 1_000, acknowledgedLost: missing.length, firstMissing };
}

/** The heartbeats that a store had acknowledged and did not have when it came back, one range per resumption. */
export function lostAtResumptions(ledger: Pick<Ledger, "resumptions">, store: WorkloadStore): TickRange[] {
  return ledger.resumptions.filter((entry) => entry.store === store && entry.found < entry.acknowledged).map(({ found, acknowledged }) => ({ first: found + 1, last: acknowledged }));
}

export interface Outage {
  readonly store: WorkloadStore;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** `undefined`: writes are not accepted yet. */
  readonly until: number | undefined;
  /** From `since` (the disaster) or else from the first failed write, until a write was acknowledged again. */
  readonly seconds: number | undefined;
  readonly resumption: Resumption | undefined;
}

/** The first outage of a store at or after `since` (milliseconds since 1970), and how long it lasted. */
export function outageAfter(ledger: Pick<Ledger, "interruptions" | "resumptions">, store: WorkloadStore, since: number): Outage | undefined {
  const first = ledger.interruptions.find((entry: Interruption) => entry.store === store && entry.at >= since);
  if (first === undefined) return undefined;
  const resumption = ledger.resumptions.find((entry) => entry.store === store && entry.at >= first.at);
  return { store, from: first.at, until: resumption?.at, seconds: resumption === undefined ? undefined : (resumption.at - since) / 1_000, resumption };
}

/** The last heartbeat that was acknowledged at or before `at` (milliseconds since 1970). */
export const lastAcknowledged = (ledger: Pick<Ledger, "acknowledged">, store: WorkloadStore, at = Number.POSITIVE_INFINITY): Acknowledgement | undefined =>
  ledger.acknowledged[store].findLast((entry) => entry.at <= at);

export interface LagSummary {
  readonly samples: number;
  readonly maxSeconds: number;
  readonly p99Seconds: number;
  /** `null` without a sample outside every fault. */
  readonly outsideFaultMaxSeconds: number | null;
  /** Of the samples outside every fault the greatest part that is surely the replica's, and not a reader's that was held up. */
  readonly outsideFaultProvenSeconds: number | null;
}

/** Sums the samples up. `faults` are spans in milliseconds since 1970; a sample counts by when it was written. */
export function summariseLag(samples: readonly LagSample[], faults: readonly { readonly from: number; readonly until: number }[]): LagSummary | undefined {
  if (samples.length === 0) return undefined;
  const sorted = samples.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const quiet = samples.filter(({ at, seconds }) => !faults.some(({ from, until }) => at >= from && at - seconds * 1_000 <= until));
  return {
    samples: samples.length,
    maxSeconds: sorted.at(-1) ?? 0,
    p99Seconds: sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.99) - 1)] ?? 0,
    outsideFaultMaxSeconds: quiet.length === 0 ? null : Math.max(...quiet.map(({ seconds }) => seconds)),
    outsideFaultProvenSeconds: quiet.length === 0 ? null : Math.max(...quiet.map(({ seconds, unsure }) => seconds - unsure)),
  };
}
