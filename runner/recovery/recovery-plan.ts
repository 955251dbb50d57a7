/** The recovery plan (R2): what will be done, from where, how long it takes and what it loses. Pure. */
import type { Plan, Tier } from "../../plan/types.ts";
import { bytes, formatDuration, formatSize, transferTime } from "../../plan/units.ts";
import { formatLsn, lsnOf, parseSegment } from "../stores/postgres/lsn.ts";
import type { Choice } from "./choose.ts";
import { describeTarget, type RecoveryTarget } from "./target.ts";

export interface RecoveryPlan {
  readonly target: string;
  readonly targetTime?: string;
  readonly backup: {
    /** Of the catalog, where it knows the backup. */
    readonly id?: string;
    readonly label: string;
    readonly type: string;
    /** Consistent from here on. */
    readonly stoppedAt: string;
    readonly stopLsn: string;
    readonly bytes: number;
  };
  readonly repository: string;
  readonly timeline: number;
  readonly wal: { readonly source: string; readonly from: string; readonly to?: string; readonly bytes: number };
  readonly into: string;
  /** Seconds, from the plan's rates. */
  readonly estimate: { readonly start: number; readonly fetch: number; readonly wal: number; readonly replay: number; readonly promote: number; readonly total: number; readonly source: string };
  /** What is not brought back. Seconds of commits before now, where the target is the latest. */
  readonly expectedLoss: { readonly text: string; readonly seconds?: number };
  /** Seconds that the tier allows. */
  readonly objective?: { readonly tier: Tier; readonly rto: number };
  readonly notes: readonly string[];
}

export interface RecoveryPlanInput {
  readonly plan: Plan;
  readonly now: Date;
  readonly target: RecoveryTarget;
  readonly choice: Choice;
  readonly repository: string;
  /** Where the repository is, for people. */
  readonly source: string;
  readonly backupId?: string | undefined;
  readonly into: string;
  readonly tier?: Tier | undefined;
  readonly notes: readonly string[];
}

export function recoveryPlan(input: RecoveryPlanInput): RecoveryPlan {
  const { plan, choice, target, tier } = input;
  const { backup, newestSegment } = choice;
  const walBytes = bytes(Number(walBetween(input)));
  const { rates } = plan;
  const parts = { start: rates.startUp, fetch: transferTime(bytes(backup.bytes), rates.restore), wal: transferTime(walBytes, rates.walFetch), replay: transferTime(walBytes, rates.walReplay), promote: rates.promote };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  const note = target.kind === "time" ? target.time.note : undefined;
  return {
    target: describeTarget(target),
    ...(target.kind === "time" ? { targetTime: target.time.date.toISOString() } : {}),
    backup: { ...(input.backupId === undefined ? {} : { id: input.backupId }), label: backup.label, type: backup.type, stoppedAt: backup.stoppedAt.toISOString(), stopLsn: backup.stopLsn, bytes: backup.bytes },
    repository: input.repository,
    timeline: choice.timeline,
    wal: { source: `${input.source}/archive`, from: backup.startSegment, ...(newestSegment === undefined || target.kind === "immediate" ? {} : { to: newestSegment.segment }), bytes: walBytes },
    into: input.into,
    estimate: { ...parts, total, source: rates.source },
    expectedLoss: expectedLoss(input),
    ...(tier === undefined ? {} : { objective: { tier, rto: plan.tiers[tier].rto } }),
    notes: [...(note === undefined ? [] : [note]), ...choice.notes, ...input.notes],
  };
}

/** WAL that the replay goes through at the most: from the backup's start to the target, or to the archive's end. */
function walBetween({ plan, choice, target }: RecoveryPlanInput): bigint {
  const { backup, newestSegment } = choice;
  const segmentBytes = plan.postgres.walSegment;
  const from = lsnOf(backup.startLsn);
  const segment = newestSegment === undefined ? undefined : parseSegment(newestSegment.segment, segmentBytes);
  const end = segment === undefined ? lsnOf(backup.stopLsn) : segment.start + BigInt(segmentBytes);
  const to = target.kind === "immediate" ? lsnOf(backup.stopLsn) : target.kind === "lsn" ? target.lsn : end;
  return to > from ? to - from : 0n;
}

function expectedLoss({ now, target, choice }: RecoveryPlanInput): RecoveryPlan["expectedLoss"] {
  const reached = choice.newestCommit?.time ?? choice.newestSegment?.archivedAt;
  switch (target.kind) {
    case "latest": {
      if (reached === undefined) return { text: "unknown: nothing in the archive tells the newest commit" };
      const lost = Math.max(0, (now.getTime() - reached.getTime()) / 1_000);
      return { text: `what was committed after ${reached.toISOString()}, at most the last ${formatDuration(lost)}`, seconds: lost };
    }
    case "immediate":
      return { text: `everything after ${choice.backup.stoppedAt.toISOString()}, as asked for` };
    case "time":
      return { text: `everything after ${target.time.postgres}, as asked for` };
    case "xid":
    case "name":
      return { text: `everything after ${describeTarget(target)}, as asked for` };
    case "lsn":
      return { text: `everything after LSN ${formatLsn(target.lsn)}, as asked for` };
  }
}

/** The plan for people, a line for each of its questions. */
export function renderRecoveryPlan(plan: RecoveryPlan): string {
  const { backup, estimate, objective } = plan;
  const rows: readonly (readonly [string, string])[] = [
    ["target", plan.target],
    ["backup", `${backup.id === undefined ? "" : `${backup.id} = `}${backup.label} (${backup.type}, ${formatSize(backup.bytes)}, consistent at ${backup.stoppedAt}, LSN ${backup.stopLsn})`],
    ["repository", plan.repository],
    ["WAL", `${plan.wal.source}, from ${plan.wal.from}${plan.wal.to === undefined ? "" : ` to ${plan.wal.to}`}, timeline ${plan.timeline}, at most ${formatSize(plan.wal.bytes)}`],
    ["into", plan.into],
    ["estimate", `${formatDuration(estimate.total)}: start ${formatDuration(estimate.start)}, files ${formatDuration(estimate.fetch)}, WAL ${formatDuration(estimate.wal)}, replay ${formatDuration(estimate.replay)}, promotion ${formatDuration(estimate.promote)} (${estimate.source})`],
    ["loss", plan.expectedLoss.text],
    ...(objective === undefined ? [] : [["objective", `${objective.tier} tier: ${formatDuration(objective.rto)}${estimate.total > objective.rto ? ", WHICH THE ESTIMATE EXCEEDS" : ""}`] as const]),
    ...plan.notes.map((note) => ["note", note] as const),
  ];
  return rows.map(([name, value]) => `${name.padEnd(11)}${value}`).join("\n");
}
