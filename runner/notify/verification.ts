/** What is told of a verification: of each kind of backups by itself, as some may be good and others not. */
import { intervalOf } from "../../plan/schedule.ts";
import type { Plan, Schedule } from "../../plan/types.ts";
import type { BackupRecord } from "../catalog/record.ts";
import { nameIn } from "../catalog/ids.ts";
import type { RunContext } from "../context.ts";
import { DrError } from "../errors.ts";
import { recoveryPointKind, systemStore } from "../recovery-point/record.ts";
import { storeAndKind } from "../status/expected.ts";
import { verificationIn, verificationKind, type RecordedVerification } from "../verification-record.ts";
import type { Severity } from "./job.ts";
import type { Notice } from "./notice.ts";
import type { JobOutcome } from "./tell.ts";

interface Found {
  readonly record: BackupRecord;
  readonly verification: RecordedVerification;
}

/** Weeks of a bad verification that a good one is taken to make good. */
const lookBack = 3;

/**
 * Failed: each kind of backups of which one is not good in every copy; and where that is none, that the verification came
 * to no end. Recovered: each kind that is good now and was not before.
 */
export async function verificationNotices(plan: Plan, run: RunContext | undefined, outcome: JobOutcome, failure: (job: Notice["job"], outcome: JobOutcome) => Notice): Promise<readonly Notice[]> {
  const schedule = plan.schedules.find(({ name }) => name === "verify");
  // A wrong word is its writer's business alone.
  if (schedule === undefined || (outcome.error instanceof DrError && outcome.error.kind === "usage")) return [];
  const { now, before } = run === undefined ? { now: [], before: [] } : await verificationsAround(run, schedule, outcome.startedAt);
  const earlier = Map.groupBy(before, nameOf);
  const notices = [...Map.groupBy(now, nameOf)].flatMap(([backup, found]): Notice[] => {
    const bad = found.filter(({ verification }) => !verification.ok);
    const subject = { backup, severity: severityOfBackup(plan, backup) };
    const said = { job: { schedule }, subject, command: `dr ${outcome.words.join(" ")}`, startedAt: outcome.startedAt, finishedAt: outcome.finishedAt };
    if (bad.length > 0) return [{ ...said, status: "failed", what: bad.map(({ verification }) => faultOf(verification)).join("; "), todo: "Other copies may be good: `dr catalog show` names them. Find out what damaged this one, and make a new backup." }];
    const last = lastBad(earlier.get(backup) ?? [], schedule);
    return last === undefined ? [] : [{ ...said, status: "recovered", what: `All ${found.length} that were verified are good in every copy`, makesGood: { backup: last.verification.backup, startedAt: last.record.startedAt } }];
  });
  const isExplained = outcome.result === "ok" || notices.some(({ status }) => status === "failed");
  return isExplained ? notices : [...notices, { ...failure({ schedule }, outcome), ...(outcome.error === undefined ? { what: "Not every backup could be verified" } : {}) }];
}

async function verificationsAround(run: RunContext, schedule: Schedule, startedAt: Date): Promise<{ readonly now: Found[]; readonly before: Found[] }> {
  const { records } = await run.catalog.list({ kind: verificationKind, since: new Date(startedAt.getTime() - lookBack * intervalOf(schedule) * 1_000) });
  const found = records.flatMap((record): Found[] => {
    const verification = verificationIn(record);
    return verification === undefined ? [] : [{ record, verification }];
  });
  const isNow = ({ record }: Found): boolean => Date.parse(record.startedAt) >= startedAt.getTime();
  return { now: found.filter(isNow), before: found.filter((one) => !isNow(one)) };
}

/** The last bad one, unless a good one of a later run has made it good already. */
function lastBad(before: readonly Found[], { deadline }: Schedule): Found | undefined {
  const bad = before.findLast(({ verification }) => !verification.ok);
  if (bad === undefined) return undefined;
  const endOfRun = Date.parse(bad.record.startedAt) + deadline * 1_000;
  return before.some(({ record, verification }) => verification.ok && Date.parse(record.startedAt) > endOfRun) ? undefined : bad;
}

/** `postgres-full`: of the backup, not of its verification. */
const nameOf = ({ verification }: Found): string => nameIn(verification.backup) ?? verification.store;

/** The daily full backup, and the recovery point that it makes with the other stores', are what S5 calls critical. */
function severityOfBackup(plan: Plan, name: string): Severity {
  const daily = plan.schedules.find((schedule) => schedule.name === "postgres-full");
  const made = daily === undefined ? undefined : storeAndKind(daily.name);
  return name === `${made?.store ?? ""}-${made?.kind ?? ""}` || name === `${systemStore}-${recoveryPointKind}` ? "critical" : "warning";
}

function faultOf({ backup, copies }: RecordedVerification): string {
  const bad = copies.filter(({ ok }) => !ok).map(({ backend, errors, checks }) => `${backend}: ${errors[0] ?? checks.find(({ ok }) => !ok)?.name ?? "not good"}`);
  return `${backup} is not good in ${bad.join("; ")}`;
}
