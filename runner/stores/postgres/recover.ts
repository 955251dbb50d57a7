/** Recovery of PostgreSQL: plan, restore from one repository, replay to the target, promote. */
import type { Tier } from "../../../plan/types.ts";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import { chooseBackup, type Choice } from "../../recovery/choose.ts";
import { checkDestination, moveAside, moveBack, type Destination } from "../../recovery/directory.ts";
import { recoveryPlan, type RecoveryPlan } from "../../recovery/recovery-plan.ts";
import { allFailed, isSurveyed, readHints, survey, type CatalogHints, type Surveyed, type Unreadable } from "../../recovery/survey.ts";
import type { RecoveryTarget } from "../../recovery/target.ts";
import { secondsSince } from "../../system/clock.ts";
import { removeTree } from "../../system/files.ts";
import { binDirectoryOf, recoverySite, removeSecrets, restoreAndStart, type RecoveredPostgres } from "./restore.ts";
import type { Site } from "./repositories.ts";

export interface RecoverOptions {
  /** Id of the catalog, label of pgBackRest, or `latest`: the newest that suits the target. */
  readonly backup: string;
  readonly target: RecoveryTarget;
  /** Directory of the data; made where it is missing. */
  readonly into: string;
  /** Default 5432: with a Unix socket it only names the socket. */
  readonly port?: number;
  /** Default: beside the data, `INTO.socket`. */
  readonly socketDirectory?: string;
  /** Default: the one that production's newest record is on. */
  readonly timeline?: number;
  /** Overwrites another database, moves foreign files aside. Never a running server's, never production's. */
  readonly force?: boolean;
  /** `false`: stay paused at the target and answer queries. */
  readonly promote?: boolean;
  readonly tier?: Tier;
  /** Only from this one. */
  readonly backend?: string;
  /** The data will be thrown away (a verification): it need not survive a power cut. */
  readonly throwAway?: boolean;
}

export interface RecoveryCandidate {
  readonly surveyed: Surveyed;
  readonly choice: Choice;
  readonly plan: RecoveryPlan;
  /** What speaks against it: damage that was seen on the way, or by an earlier verification. */
  readonly doubts: readonly string[];
}

export interface PlannedRecovery {
  readonly destination: Destination;
  readonly site: Site;
  /** The best first; the next ones are taken where it fails. */
  readonly candidates: readonly RecoveryCandidate[];
  /** Repositories that cannot serve, and why. */
  readonly failures: readonly { readonly repository: string; readonly error: unknown }[];
  /** Seconds that the planning took: the start of the recovery's time. */
  readonly seconds: number;
}

/** Takes back what a plan that is not carried out has written: configurations with secrets. */
export const forgetPlan = ({ site }: PlannedRecovery): Promise<void> => removeTree(site.folder);

/** Plans a recovery and touches nothing. Throws where no repository can serve it. */
export async function planRecovery(context: RunContext, options: RecoverOptions): Promise<PlannedRecovery> {
  const begun = performance.now();
  const destination = await checkDestination(context, options.into, options.force ?? false);
  const site = recoverySite(context, destination.directory);
  try {
    context.report({ step: "looking at the repositories" });
    // Both are awaited whatever comes of the other: what is still written cannot be cleared away.
    const [surveying, reading] = await Promise.allSettled([survey(context, site, { backend: options.backend, exact: options.target.kind === "time" }), readHints(context, options.backup, options.target, options.timeline)]);
    context.signal.throwIfAborted(); // each repository would tell of it as its own failure
    const [surveys, hints] = [settled(surveying), settled(reading)];
    const { candidates, failures } = weigh(context, options, surveys, hints, destination);
    if (candidates.length === 0) throw allFailed("no repository can serve this recovery", failures);
    await binDirectoryOf(context, candidates[0]?.surveyed.info.version ?? 0);
    return { destination, site, candidates, failures, seconds: secondsSince(begun) };
  } catch (error) {
    await removeTree(site.folder);
    throw error;
  }
}

function settled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === "fulfilled") return result.value;
  throw result.reason;
}

function weigh(context: RunContext, options: RecoverOptions, surveys: readonly (Surveyed | Unreadable)[], hints: CatalogHints, destination: Destination) {
  const candidates: RecoveryCandidate[] = [];
  const failures: { repository: string; error: unknown }[] = [];
  for (const surveyed of surveys) {
    const repository = surveyed.repository.name;
    try {
      if (!isSurveyed(surveyed)) throw surveyed.error;
      const choice = chooseBackup(surveyed.holdings, options.target, hints.forRepository(repository));
      const doubts = [...surveyed.doubts, ...hints.damageIn(repository, [choice.backup.label, ...choice.backup.references])];
      candidates.push({ surveyed, choice, doubts, plan: planOf(context, options, surveyed, choice, hints, destination, doubts) });
    } catch (error) {
      failures.push({ repository, error });
    }
  }
  const unusable = failures.map(({ repository, error }) => `${repository} cannot serve: ${error instanceof DrError ? error.what : messageOf(error)}`);
  const ranked = options.target.kind === "latest" ? candidates.toSorted(byReach) : candidates;
  const best = ranked.toSorted((a, b) => a.doubts.length - b.doubts.length);
  return { failures, candidates: best.map((candidate) => ({ ...candidate, plan: { ...candidate.plan, notes: [...candidate.plan.notes, ...unusable] } })) };
}

/** For the latest: whose WAL goes further loses less. Where both are equal, the configuration's order stands. */
function byReach(a: RecoveryCandidate, b: RecoveryCandidate): number {
  const [left, right] = [a, b].map(({ choice }) => choice.newestSegment?.segment ?? "");
  return left === right ? 0 : (left ?? "") < (right ?? "") ? 1 : -1;
}

function planOf(context: RunContext, options: RecoverOptions, surveyed: Surveyed, choice: Choice, hints: CatalogHints, destination: Destination, doubts: readonly string[]): RecoveryPlan {
  const { repository } = surveyed;
  return recoveryPlan({
    plan: { ...context.plan, rates: hints.rates }, now: context.clock.now(), target: options.target, choice,
    repository: repository.name,
    source: `pgbackrest://${repository.name}/${repository.keyPrefix}`,
    backupId: hints.recordOf(repository.name, choice.backup.label)?.id,
    into: destination.directory, tier: options.tier, notes: [...doubts, ...hints.notes],
  });
}

export interface Recovery extends RecoveredPostgres {
  readonly plan: RecoveryPlan;
  /** Where what was in the directory before went to. */
  readonly movedAside?: string;
  /** Repositories that were tried before and failed. */
  readonly failed: readonly { readonly repository: string; readonly error: string }[];
}

/**
 * Carries out what was planned. The server is handed over running; its process is in `postmaster.pid`. Where a
 * repository fails, what it left is removed and the next one is taken.
 */
export async function carryOut(context: RunContext, options: RecoverOptions, planned: PlannedRecovery): Promise<Recovery> {
  const failed: { repository: string; error: unknown }[] = [];
  const aside = planned.destination.state === "foreign" ? await moveAside(planned.destination) : undefined;
  for (const candidate of planned.candidates) {
    const repository = candidate.surveyed.repository.name;
    try {
      const recovered = await restoreAndStart(context, options, planned, candidate);
      return { ...recovered, plan: candidate.plan, ...(aside === undefined ? {} : { movedAside: aside }), failed: failed.map((one) => ({ repository: one.repository, error: messageOf(one.error) })) };
    } catch (error) {
      failed.push({ repository, error });
      if (context.signal.aborted) break;
      context.report({ step: `recovery from ${repository} failed: ${messageOf(error)}` });
      if (isFinal(error)) break;
    }
  }
  if (aside !== undefined) await moveBack(planned.destination, aside);
  await removeSecrets(planned.site);
  context.signal.throwIfAborted();
  throw allFailed("the recovery failed", failed);
}

/** What another repository cannot mend. */
const isFinal = (error: unknown): boolean => error instanceof DrError && (error.kind === "refused" || error.kind === "usage" || /disk is too small|the disk is full|disk became full|program .* is not on this machine/.test(error.what));

/** Plans and carries out a recovery. */
export async function recoverPostgres(context: RunContext, options: RecoverOptions, onPlan: (plan: RecoveryPlan) => void = () => undefined): Promise<Recovery> {
  const planned = await planRecovery(context, options);
  const [best] = planned.candidates;
  if (best !== undefined) onPlan(best.plan);
  return carryOut(context, options, planned);
}
