/** What verifying a backup is for every store: each copy on its own, and what is wrong with one says nothing of another. */
import { join } from "node:path";
import type { BackupRecord, CopyResult } from "./catalog/record.ts";
import type { RunContext } from "./context.ts";
import { DrError, messageOf } from "./errors.ts";
import type { StorageBackend } from "./storage/backend.ts";
import { secondsSince } from "./system/clock.ts";
import { inOwnFolder } from "./system/own-folder.ts";
import { copyVerificationOf, verificationOf, type CopyVerification, type MeasuredWork, type Verification, type VerificationCheck } from "./verification.ts";

/** One copy while it is looked at. */
export interface CopyOnTrial {
  readonly backend: StorageBackend;
  /** What was looked at; added to as it is seen. */
  readonly checks: VerificationCheck[];
  /** What is wrong, and does not keep the rest from being looked at. Each names the object that it is about. */
  readonly errors: string[];
}

/**
 * Verifies each copy of `record` by `look`, which adds to `checks` and `errors` and returns what it measured. What it
 * throws is this copy's error, except where it says nothing about the copy: an abort, or a program that this machine
 * lacks.
 */
export async function verifyCopies(context: RunContext, record: BackupRecord, look: (copy: CopyOnTrial) => Promise<MeasuredWork | undefined>): Promise<Verification> {
  const copies: CopyVerification[] = [];
  for (const copy of record.copies) copies.push(await verifyCopy(context, record, copy, look));
  return verificationOf(record.id, record.store, copies);
}

async function verifyCopy(context: RunContext, record: BackupRecord, copy: CopyResult, look: (copy: CopyOnTrial) => Promise<MeasuredWork | undefined>): Promise<CopyVerification> {
  const begun = performance.now();
  const checks: VerificationCheck[] = [];
  const errors: string[] = [];
  const done = (measured?: MeasuredWork) => copyVerificationOf(copy.backend, checks, errors, secondsSince(begun), measured);
  const failed = (error: string) => void errors.push(error);
  if (copy.status === "failed") return failed(`the copy failed when it was made: ${copy.error}`), done();
  const backend = context.backends.find(({ name }) => name === copy.backend);
  if (backend === undefined) return failed(`the configuration has no backend ${copy.backend}`), done();
  context.report({ step: `verify ${record.id} in ${copy.backend}` });
  try {
    return done(await look({ backend, checks, errors }));
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof DrError && error.kind === "unavailable" && error.where.startsWith("PATH")) throw error;
    const [object, ...more] = record.objects;
    failed(`${more.length === 0 && object !== undefined ? object.key : record.id} in ${copy.backend}: ${messageOf(error)}`);
    return done();
  }
}

/** Gives `work` a folder of its own below the work directory, removed afterwards: backups lie in the clear in it. */
export const inVerifyFolder = <T>({ config }: RunContext, work: (folder: string) => Promise<T>): Promise<T> => inOwnFolder(join(config.workDirectory, "verify"), work);
