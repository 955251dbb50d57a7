import type { Rates, ScheduleName } from "../plan/types.ts";
import { bytesPerSecond, mib, seconds, type Rate } from "../plan/units.ts";
import { outcomeOf, type BackupRecord } from "./catalog/record.ts";
import type { MeasuredWork } from "./verification.ts";
import { verificationIn } from "./verification-record.ts";

/** Below this a time is mostly that of starting and asking: no rate is taken from it. */
const leastBytes = mib(1);

/** A measured replay waited for each segment that it replayed: its rate has the fetch in it, which costs nothing more. */
const inReplay = bytesPerSecond(Number.MAX_SAFE_INTEGER);

type RateName = "restore" | "walFetch" | "walReplay" | "redisLoad" | "download" | "validate";
const measures: Readonly<Record<RateName, readonly [bytes: keyof MeasuredWork, time: keyof MeasuredWork]>> = {
  restore: ["restoreBytes", "restoreSeconds"],
  walFetch: ["walBytes", "walSeconds"],
  walReplay: ["replayBytes", "replaySeconds"],
  redisLoad: ["redisLoadBytes", "redisLoadSeconds"],
  download: ["downloadBytes", "downloadSeconds"],
  validate: ["validateBytes", "validateSeconds"],
};

/** The measurements of one verification, one per copy that passed. */
interface Sample {
  readonly id: string;
  readonly work: readonly Partial<Record<keyof MeasuredWork, number | undefined>>[];
}

/** The newest sample that has an answer, and that answer: the worst among the copies, as any of them may be needed. */
function newestWith(samples: readonly Sample[], worst: (sample: Sample) => number | undefined): { readonly value: number; readonly id: string } | undefined {
  for (const sample of samples) {
    const value = worst(sample);
    if (value !== undefined) return { value, id: sample.id };
  }
  return undefined;
}

function slowest({ work }: Sample, name: RateName): Rate | undefined {
  const [bytes, time] = measures[name];
  const rates = work.flatMap((measured) => {
    const [amount = 0, took = 0] = [measured[bytes], measured[time]];
    return amount >= leastBytes && took > 0 ? [amount / took] : [];
  });
  return rates.length === 0 ? undefined : bytesPerSecond(Math.min(...rates));
}

function longest({ work }: Sample, name: "startUpSeconds" | "promoteSeconds"): number | undefined {
  const times = work.flatMap((measured) => measured[name] ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** The longest good run of each schedule: what a backup's staleness is reckoned with, instead of its deadline. */
function runsOf(records: readonly BackupRecord[], schedules: readonly ScheduleName[]): Partial<Record<ScheduleName, number>> {
  const runs: Partial<Record<ScheduleName, number>> = {};
  for (const record of records) {
    const name = schedules.find((schedule) => schedule === `${record.store}-${record.kind}`);
    if (name === undefined || outcomeOf(record) !== "ok") continue;
    runs[name] = Math.max(runs[name] ?? 0, (Date.parse(record.finishedAt) - Date.parse(record.startedAt)) / 1_000);
  }
  return runs;
}

/**
 * Rates for predictions from what was measured: each the slowest of the copies in the newest verification that
 * measured it; what none did stays as in `fallback`, and `source` says so. `schedules` are those whose longest run is
 * taken from the backups' own records (default: none).
 */
export function ratesFromRecords(records: readonly BackupRecord[], fallback: Rates, schedules: readonly ScheduleName[] = []): Rates {
  const samples = records
    .map((record) => ({ record, verification: verificationIn(record) }))
    .sort((a, b) => (a.record.id < b.record.id ? 1 : -1))
    .flatMap(({ record, verification }): Sample[] => (verification === undefined ? [] : [{ id: record.id, work: verification.copies.flatMap((copy) => (copy.ok && copy.measured !== undefined ? [copy.measured] : [])) }]));
  const ids = new Set<string>();
  const assumed: string[] = [];
  const take = (name: string, found: { readonly value: number; readonly id: string } | undefined): number | undefined => {
    if (found === undefined) assumed.push(name);
    else ids.add(found.id);
    return found?.value;
  };
  const replayed = samples.some((sample) => slowest(sample, "walReplay") !== undefined);
  const rate = (name: RateName): Rate => {
    const found = newestWith(samples, (sample) => slowest(sample, name));
    if (name === "walFetch" && found === undefined && replayed) return inReplay;
    const value = take(name, found);
    return value === undefined ? fallback[name] : bytesPerSecond(value);
  };
  const time = (name: "startUp" | "promote") => seconds(take(name, newestWith(samples, (sample) => longest(sample, `${name}Seconds`))) ?? fallback[name]);
  const runs = Object.fromEntries(Object.entries(runsOf(records, schedules)).map(([name, value]) => [name, seconds(value)]));
  const measured: Rates = {
    ...fallback,
    restore: rate("restore"),
    walFetch: rate("walFetch"),
    walReplay: rate("walReplay"),
    redisLoad: rate("redisLoad"),
    download: rate("download"),
    validate: rate("validate"),
    startUp: time("startUp"),
    promote: time("promote"),
    ...(Object.keys(runs).length === 0 ? {} : { runs: { ...fallback.runs, ...runs } }),
  };
  if (ids.size === 0 && Object.keys(runs).length === 0) return fallback;
  return { ...measured, source: sourceText([...ids], assumed, fallback.source) };
}

function sourceText(ids: readonly string[], assumed: readonly string[], fallback: string): string {
  const measured = ids.length === 0 ? "durations measured by the backups themselves" : `measured by ${ids.join(", ")}`;
  return assumed.length === 0 ? measured : `${measured}; ${assumed.join(", ")} ${fallback}`;
}
