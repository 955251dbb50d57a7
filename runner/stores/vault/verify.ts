import { join } from "node:path";
import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { onlyObject } from "../../copies.ts";
import { DrError, messageOf } from "../../errors.ts";
import type { StorageBackend } from "../../storage/backend.ts";
import { secondsSince } from "../../system/clock.ts";
import type { MeasuredWork, Verification, VerificationCheck } from "../../verification.ts";
import { inVerifyFolder, verifyCopies } from "../../verify-copies.ts";
import type { SnapshotSummary } from "./archive.ts";
import { sealIn } from "./back-up.ts";
import { BarrierReader, KeyringFinder } from "./barrier.ts";
import type { SealConfig } from "./config.ts";
import { fetchCopy, inspect } from "./fetch.ts";
import { findVaultProgram } from "./isolated-server.ts";
import { openRootKey, sealKeyOf } from "./open-seal.ts";
import { restoreAndRead } from "./trial.ts";
import { describeSeal, rootKeyEntry, sealMismatch } from "./seal.ts";

/**
 * Verifies every copy of a snapshot: checksum, decryption, the archive's own hashes; that the seal at hand is the one
 * that opens it (facts F10); each value under Vault's encryption, where the seal's key can be had here; and, where a
 * server program is on this machine, a restored server that unseals itself with that seal and gives its secrets away.
 * What is wrong with a copy is in its `errors`; only what keeps all of them from being verified is thrown.
 */
export function verifyVault(context: RunContext, record: BackupRecord): Promise<Verification> {
  return verifyCopies(context, record, ({ backend, checks, errors }) => inVerifyFolder(context, async (dir) => {
    const outcome = await verifyStored(context, record, backend, dir, checks);
    errors.push(...outcome.errors.map((error) => `${onlyObject(record).key} in ${backend.name}: ${error}`));
    return outcome.measured;
  }));
}

type Outcome = { readonly measured: MeasuredWork; readonly errors: readonly string[] };

async function verifyStored(context: RunContext, record: BackupRecord, backend: StorageBackend, dir: string, checks: VerificationCheck[]): Promise<Outcome> {
  const object = onlyObject(record);
  const path = join(dir, "raft.snap.pgp");
  const passphrase = await context.passphrase();
  const downloading = performance.now();
  await fetchCopy(backend, object, path, context.signal);
  checks.push({ name: "sha256 is the record's", ok: true, detail: backend.uri(object.key) });
  const finder = new KeyringFinder();
  let stored: Uint8Array | undefined;
  const summary = await inspect(path, passphrase, (entry) => {
    finder.look(entry);
    if (entry.key === rootKeyEntry) stored = Uint8Array.from(entry.value);
  });
  const measured: MeasuredWork = { downloadBytes: object.bytes, downloadSeconds: secondsSince(downloading) };
  checks.push({ name: "the message decrypts, and the archive in it fits its hashes", ok: true, detail: `${summary.entries} entries, raft index ${summary.index}` });
  const seal = context.config.vault?.seal;
  const mismatch = recordMismatch(record, summary) ?? sealMismatch(summary.seal, seal);
  if (mismatch !== undefined || seal === undefined || summary.seal === undefined) {
    checks.push({ name: "the seal at hand opens it", ok: false, detail: mismatch ?? "no seal" });
    return { measured, errors: [mismatch ?? "no seal"] };
  }
  const opened = await openAll({ path, passphrase, seal, summary, finder, stored }, checks);
  if (opened.errors.length > 0) return { measured, errors: opened.errors };
  const program = await findVaultProgram();
  if (program === undefined) return withoutProgram(opened.done, measured, checks);
  const trial = await restoreAndRead(context, { program, dir, path, passphrase, seal, needed: summary.seal }, checks);
  return { measured: { ...measured, ...trial.measured }, errors: trial.errors };
}

/** The record is what a recovery goes by when it asks people for their keys. */
function recordMismatch(record: BackupRecord, { seal }: SnapshotSummary): string | undefined {
  const recorded = sealIn(record);
  if (recorded === undefined || recorded.rootKey === seal?.rootKey) return undefined;
  return `the record says that it opens with ${describeSeal(recorded)}, and the snapshot holds another root key`;
}

interface Opening {
  readonly path: string;
  readonly passphrase: string;
  readonly seal: SealConfig;
  readonly summary: SnapshotSummary;
  readonly finder: KeyringFinder;
  readonly stored: Uint8Array | undefined;
}

/** Without any server: the seal's key opens the root key, that the keyring, and that each value. `done`: it could be tried. */
async function openAll({ path, passphrase, seal, summary, finder, stored }: Opening, checks: VerificationCheck[]): Promise<{ readonly done: boolean; readonly errors: readonly string[] }> {
  const needed = summary.seal;
  if (needed === undefined || stored === undefined) return { done: false, errors: [] };
  try {
    const key = await sealKeyOf(seal, needed);
    if (key === undefined) return { done: false, errors: [] };
    const rootKey = openRootKey(key, stored, needed);
    if (finder.keyring === undefined) throw new DrError({ kind: "failed", what: "it holds no keyring", where: "core/keyring", todo: "Choose another backup." });
    const reader = BarrierReader.open(rootKey, finder.keyring, finder.paths);
    await inspect(path, passphrase, (entry) => reader.look(entry));
    const { opened, left } = reader.count;
    const ok = reader.errors.length === 0;
    checks.push({ name: "the seal's key opens every value", ok, detail: `${opened} of ${summary.entries} entries; ${left} are in the clear or a namespace's own` });
    return { done: true, errors: reader.errors.slice(0, 20) };
  } catch (error) {
    checks.push({ name: "the seal's key opens every value", ok: false, detail: messageOf(error) });
    return { done: true, errors: [messageOf(error)] };
  }
}

/** What a cloud seals, only its own service opens, and only a server asks that. */
function withoutProgram(opened: boolean, measured: MeasuredWork, checks: VerificationCheck[]): Outcome {
  if (!opened) throw new DrError({ kind: "unavailable", what: "neither bao nor vault is on this machine, and nothing else can ask this seal", where: "PATH and the usual folders", todo: "Install OpenBao." });
  checks.push({ name: "no server was started: neither bao nor vault is on this machine", ok: true, detail: "every value was decrypted without one" });
  return { measured, errors: [] };
}
