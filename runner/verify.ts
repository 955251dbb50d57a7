import { outcomeOf, type BackupRecord } from "./catalog/record.ts";
import type { CatalogListing, CatalogProblem } from "./catalog/catalog.ts";
import type { RunContext } from "./context.ts";
import { DrError, messageOf } from "./errors.ts";
import { recoveryPointKind, systemStore } from "./recovery-point/record.ts";
import { restorePointKind } from "./stores/postgres/details.ts";
import { verificationOf, type CopyVerification, type Verification } from "./verification.ts";
import { recordVerification, verificationKind } from "./verification-record.ts";

type Verifier = (context: RunContext, record: BackupRecord) => Promise<Verification>;

/** Who can verify the backups of a store; loaded when it is needed, as each brings its own clients. */
const verifiers: Readonly<Record<string, () => Promise<Verifier>>> = {
  postgres: async () => (await import("./stores/postgres/verify.ts")).verifyPostgres,
  redis: async () => (await import("./stores/redis/verify.ts")).verifyRedis,
  vault: async () => (await import("./stores/vault/verify.ts")).verifyVault,
  vectors: async () => (await import("./stores/vectors/verify.ts")).verifyVectors,
  agents: async () => (await import("./agents/verify.ts")).verifyAgents,
  configuration: async () => (await import("./stores/configuration/verify.ts")).verifyConfiguration,
  archive: async () => (await import("./archive/verify.ts")).verifyArchive,
  metrics: async () => (await import("./stores/metrics/verify.ts")).verifyMetrics,
  objects: async () => (await import("./stores/objects/verify.ts")).verifyObjects,
  logs: async () => (await import("./stores/logs/verify.ts")).verifyLogs,
  system: async () => (await import("./recovery-point/verify.ts")).verifyRecoveryPoint,
};

export interface VerifiedBackup extends Verification {
  readonly kind: string;
  /** The id of the record that keeps the result; absent where it could not be written. */
  readonly recordedAs?: string;
  readonly notRecorded?: string;
}

export interface VerificationRun {
  readonly ok: boolean;
  readonly verified: readonly VerifiedBackup[];
  /** Records that are damaged in every backend, and backends that cannot be read: nothing else would name them. */
  readonly problems: readonly CatalogProblem[];
  /** Backups that could not be verified here, each with the reason: they count as not verified. */
  readonly skipped: readonly { readonly backup: string; readonly why: string }[];
}

const isUnavailable = (error: unknown): boolean => error instanceof DrError && error.kind === "unavailable";

/** Kinds of records with which there is nothing to verify. */
const withoutData: ReadonlySet<string> = new Set([verificationKind, restorePointKind]);
/** Of the system there are records of other things too: drills, expiries. */
const isBackup = ({ kind, store }: BackupRecord): boolean => !withoutData.has(kind) && (store !== systemStore || kind === recoveryPointKind);

/** A backup that can be verified: one that left something behind, which nobody may have removed yet. */
const isThere = (record: BackupRecord, now: Date): boolean => isBackup(record) && outcomeOf(record) !== "failed" && (record.expiresAt === null || Date.parse(record.expiresAt) > now.getTime());

/**
 * The backups that `--all` means: every one that began at `since` or later, and the newest of each store and kind
 * however old it is, as that one would be used first.
 */
export function recentBackups(records: readonly BackupRecord[], since: Date, now: Date): BackupRecord[] {
  const good = records.filter((record) => isThere(record, now));
  const newest = new Map(good.map((record) => [`${record.store} ${record.kind}`, record.id]));
  const ids = new Set(newest.values());
  return good.filter((record) => Date.parse(record.startedAt) >= since.getTime() || ids.has(record.id));
}

/** The problems of a record's own files: a copy of which the record is damaged would not be found from that backend alone. */
export function withRecordProblems(verification: Verification, problems: readonly CatalogProblem[]): Verification {
  const mine = problems.filter(({ key }) => key?.includes(`/${verification.backup}.`) === true);
  if (mine.length === 0) return verification;
  const errorsOf = (backend: string) => mine.filter((problem) => problem.backend === backend).map(({ key, what }) => `${key ?? "the catalog"} in ${backend}: ${what}`);
  const copies = verification.copies.map((copy): CopyVerification => {
    const errors = errorsOf(copy.backend);
    return errors.length === 0 ? copy : { ...copy, ok: false, errors: [...copy.errors, ...errors] };
  });
  const elsewhere = [...new Set(mine.map(({ backend }) => backend))].filter((backend) => !copies.some((copy) => copy.backend === backend));
  const others = elsewhere.map((backend): CopyVerification => ({ backend, ok: false, errors: errorsOf(backend), checks: [], seconds: 0 }));
  return verificationOf(verification.backup, verification.store, [...copies, ...others]);
}

/** Verifies one backup: each of its copies is restored and queried. Throws where nothing can verify this store. */
export async function verifyOne(context: RunContext, id: string, filter: { readonly store?: string } = {}): Promise<VerificationRun> {
  const record = await context.catalog.find(id, filter);
  if (record.kind === verificationKind) throw new DrError({ kind: "usage", what: "this is the record of a verification, not of a backup", where: record.id, todo: "Name a backup: `dr catalog list`." });
  if (!isBackup(record)) throw new DrError({ kind: "usage", what: `this is the record of ${record.kind}, which holds nothing to verify`, where: record.id, todo: "Name a backup: `dr catalog list`." });
  if (verifiers[record.store] === undefined) throw new DrError({ kind: "usage", what: `nothing here can verify backups of ${record.store}`, where: record.id, todo: `Those of ${Object.keys(verifiers).join(", ")} can be verified.` });
  const began = new Date(record.startedAt);
  const { problems } = await context.catalog.list({ store: record.store, since: began, until: began });
  return verifyRecords(context, [record], { records: [record], problems });
}

/** Verifies all recent backups; one that cannot be verified does not keep the others from it. */
export async function verifyAll(context: RunContext, since: Date, filter: { readonly store?: string } = {}): Promise<VerificationRun> {
  const listing = await context.catalog.list(filter);
  return verifyRecords(context, recentBackups(listing.records, since, context.clock.now()), listing);
}

async function verifyRecords(context: RunContext, records: readonly BackupRecord[], listing: CatalogListing): Promise<VerificationRun> {
  const verified: VerifiedBackup[] = [];
  const skipped: { backup: string; why: string }[] = [];
  for (const record of records) {
    const verifier = verifiers[record.store];
    try {
      if (verifier === undefined) skipped.push({ backup: record.id, why: `nothing here can verify backups of ${record.store}` });
      else verified.push(await verifyAndRecord(context, record, await verifier(), listing.problems));
    } catch (error) {
      // A program that is missing says nothing about this backup, and others may need another one.
      if (!isUnavailable(error) || records.length === 1) throw error;
      skipped.push({ backup: record.id, why: messageOf(error) });
    }
  }
  const known = new Set(records.map(({ id }) => id));
  const problems = listing.problems.filter(({ key }) => ![...known].some((id) => key?.includes(`/${id}.`) === true));
  return { ok: verified.every(({ ok }) => ok) && verified.length > 0 && problems.length === 0 && skipped.length === 0, verified, problems, skipped };
}

async function verifyAndRecord(context: RunContext, record: BackupRecord, verifier: Verifier, problems: readonly CatalogProblem[]): Promise<VerifiedBackup> {
  const startedAt = context.clock.now();
  const found = await verifier(context, record).catch((error: unknown) => {
    context.signal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    const failed = (backend: string): CopyVerification => ({ backend, ok: false, errors: [messageOf(error)], checks: [], seconds: 0 });
    return verificationOf(record.id, record.store, record.copies.map(({ backend }) => failed(backend)));
  });
  const verification = withRecordProblems(found, problems);
  const result = { ...verification, kind: record.kind };
  if (context.config.readOnly) return { ...result, notRecorded: "this run may only read" };
  try {
    return { ...result, recordedAs: (await recordVerification(context, record, verification, startedAt)).id };
  } catch (error) {
    return { ...result, notRecorded: messageOf(error) };
  }
}
