/** Until when each record is kept, from the plan and the catalog alone. Pure, so that whoever restores can ask too. */
import { keptLonger } from "../../plan/kept.ts";
import type { Plan, Schedule } from "../../plan/types.ts";
import { needs } from "../catalog/needs.ts";
import { outcomeOf, type BackupRecord } from "../catalog/record.ts";
import { typeOf } from "../metrics/tally.ts";
import { isSaved, madePoint, readRecoveryPoint } from "../recovery-point/record.ts";

export interface Kept {
  /** In ms since the epoch; `Infinity`: for ever, or until another one takes its place. */
  readonly until: number;
  readonly why: string;
}

/**
 * Until when each record is kept, by its id: as it says itself; longer where it is the first good one of its hour or day
 * and the plan keeps one of each; as long as it is the newest good one, in any backend too; and as long as what needs it.
 */
export function keptUntil(plan: Plan, records: readonly BackupRecord[]): ReadonlyMap<string, Kept> {
  const kept = new Map<string, Kept>();
  const keep = (id: string, until: number, why: string): void => {
    const before = kept.get(id);
    if (before !== undefined && before.until < until) kept.set(id, { until, why });
  };
  for (const { id, expiresAt } of records) kept.set(id, { until: expiresAt === null ? Infinity : Date.parse(expiresAt), why: "its own retention" });
  const byType = Map.groupBy(records, typeOfEach(plan));
  for (const schedule of plan.schedules) climb(schedule, byType.get(schedule.name) ?? [], keep);
  for (const id of newest(records)) keep(id, Infinity, "the newest there is");
  followNeeds(records, kept, keep);
  return kept;
}

/** Tens of thousands of records are of a handful of stores and kinds. */
function typeOfEach(plan: Plan): (record: BackupRecord) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (record) => {
    const name = `${record.store} ${record.kind}`;
    if (!known.has(name)) known.set(name, typeOf(plan, record));
    return known.get(name);
  };
}

type Keep = (id: string, until: number, why: string) => void;

/** S3 to S5 for what has no differential backups: of each hour and each day the first good one is kept longer. */
function climb(schedule: Schedule, records: readonly BackupRecord[], keep: Keep): void {
  const good = records.map((record) => ({ record, outcome: outcomeOf(record) })).filter(({ outcome }) => outcome !== "failed");
  const made = good.map(({ record: { id, startedAt }, outcome }) => ({ id, startedAt: new Date(startedAt), whole: outcome === "ok" }));
  for (const { id, until } of keptLonger(schedule, made)) keep(id, until.getTime(), "the first of its time");
}

/** Of each store and kind: the newest, the newest good one, and the newest that stands in each backend. */
function newest(records: readonly BackupRecord[]): ReadonlySet<string> {
  const found = new Map<string, string>();
  for (const { id, store, kind, copies } of records) {
    found.set(`${store} ${kind}`, id);
    for (const copy of copies) if (copy.status === "ok") found.set(`${store} ${kind} ${copy.backend}`, id);
    if (copies.length > 0 && copies.every(({ status }) => status === "ok")) found.set(`${store} ${kind} everywhere`, id);
  }
  return new Set(found.values());
}

/** Ids of the records without which one cannot be restored. */
export function neededBy(record: BackupRecord): readonly string[] {
  const point = readRecoveryPoint(record);
  if (point === undefined) return needs(record);
  const made = madePoint(point);
  return [...point.parts.filter(isSaved).filter((part) => part.needed).map(({ backup }) => backup), ...(made === undefined ? [] : [made.record])];
}

/** What a record needs is kept as long as the record; and what that needs. A record is judged again when it is kept longer. */
function followNeeds(records: readonly BackupRecord[], kept: ReadonlyMap<string, Kept>, keep: Keep): void {
  const byId = new Map(records.map((record) => [record.id, record]));
  const open = [...records];
  for (let record = open.pop(); record !== undefined; record = open.pop()) {
    const until = kept.get(record.id)?.until ?? 0;
    for (const id of neededBy(record)) {
      const other = byId.get(id);
      const before = kept.get(id)?.until ?? Infinity;
      keep(id, until, `${record.id} needs it`);
      if (other !== undefined && before < until) open.push(other);
    }
  }
}
