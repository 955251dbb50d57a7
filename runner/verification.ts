/** What verifying a backup found: the common language of every store's `verify`. A backup passes only when each of
 * its copies was restored and queried; a copy that was only listed or hashed has not been verified. */

/** One thing that was looked at, e.g. `restored`, `30,000 rows of agents readable`. */
export interface VerificationCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was seen, with the figure and the object that it is about. */
  readonly detail?: string;
}

/** What a verification measured on its way: sizes in bytes, times in seconds. Absent: not measured by this store. */
export interface MeasuredWork {
  /** Base backup files written by the restore (PostgreSQL). */
  readonly restoreBytes?: number;
  readonly restoreSeconds?: number;
  /** WAL fetched from the backend. */
  readonly walBytes?: number;
  readonly walSeconds?: number;
  /** WAL replayed. */
  readonly replayBytes?: number;
  readonly replaySeconds?: number;
  /** An RDB loaded into Redis. */
  readonly redisLoadBytes?: number;
  readonly redisLoadSeconds?: number;
  /** A raft snapshot loaded into Vault, until it was unsealed. */
  readonly vaultRestoreBytes?: number;
  readonly vaultRestoreSeconds?: number;
  /** Snapshots uploaded to Qdrant, until it had recovered them. */
  readonly vectorsRestoreBytes?: number;
  readonly vectorsRestoreSeconds?: number;
  /** Objects downloaded and decrypted. */
  readonly downloadBytes?: number;
  readonly downloadSeconds?: number;
  /** Content checked row by row. */
  readonly validateBytes?: number;
  readonly validateSeconds?: number;
  /** Starting a process of recovery and opening its backends, before the first byte. */
  readonly startUpSeconds?: number;
  /** From a restored server's start to the end of recovery, less fetch and replay. */
  readonly promoteSeconds?: number;
}

/** One copy, i.e. the backup as one backend holds it. */
export interface CopyVerification {
  readonly backend: string;
  /** True only where the copy was restored, queried, and nothing was wrong. */
  readonly ok: boolean;
  /** Each names the object, segment or table that is damaged. */
  readonly errors: readonly string[];
  readonly checks: readonly VerificationCheck[];
  readonly seconds: number;
  readonly measured?: MeasuredWork;
}

export interface Verification {
  /** The id of the backup's record. */
  readonly backup: string;
  readonly store: string;
  readonly ok: boolean;
  readonly copies: readonly CopyVerification[];
}

/** A backup is good when it has copies and each of them is: no copy at all proves nothing. */
export function verificationOf(backup: string, store: string, copies: readonly CopyVerification[]): Verification {
  return { backup, store, ok: copies.length > 0 && copies.every((copy) => copy.ok), copies };
}

/** A copy passes when something was checked, every check held and no error was found. */
export function copyVerificationOf(backend: string, checks: readonly VerificationCheck[], errors: readonly string[], seconds: number, measured?: MeasuredWork): CopyVerification {
  const ok = errors.length === 0 && checks.length > 0 && checks.every((check) => check.ok);
  return { backend, ok, errors, checks, seconds, ...(measured ? { measured } : {}) };
}
