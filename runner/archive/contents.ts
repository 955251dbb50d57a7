/** What goes into an archive: for each store that the plan archives, the newest complete backup, as it stands in a backend. */
import { pipeline } from "node:stream";
import { backendOf, scheduleOf } from "../../plan/find.ts";
import type { Plan, Store } from "../../plan/types.ts";
import { seal } from "../catalog/envelope.ts";
import { keyOf } from "../catalog/ids.ts";
import { outcomeOf, type BackupRecord, type StoredObject } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import { storeAndKind } from "../status/expected.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { checkedStream } from "../storage/complete.ts";
import { postgresFiles } from "./postgres-files.ts";
import type { TarEntry } from "./tar.ts";

export interface ArchivedBackup {
  readonly store: string;
  readonly backup: string;
  readonly recoveredTo: string;
  /** The backend that it was read from, where that is one for all of it. */
  readonly from?: string;
}

export interface ArchiveContents {
  readonly entries: readonly TarEntry[];
  readonly backups: readonly ArchivedBackup[];
  readonly leftOut: readonly { readonly store: string; readonly why: string }[];
}

/** Copies that turned out to be damaged while they were read: `BACKEND KEY`. The next attempt reads another. */
export type Avoided = Set<string>;

/** A copy that is damaged, or broke off; another one may do. */
export class DamagedSource extends DrError {}

const isArchived = (plan: Plan, { copies }: Store): boolean => copies.some((copy) => copy.kind === "backup" && backendOf(plan, copy.backend)?.role === "archive");

/** The widest of a store's own backups: what restores alone. */
function kindOf(plan: Plan, { copies }: Store): { readonly store: string; readonly kind: string } | undefined {
  const schedules = copies.flatMap((copy) => (copy.kind === "backup" && backendOf(plan, copy.backend)?.role !== "archive" ? (scheduleOf(plan, copy.schedule) ?? []) : []));
  const whole = schedules.find(({ writes, tool }) => writes === "everything" && tool === "pgbackrest") ?? schedules[0];
  return whole === undefined ? undefined : storeAndKind(whole.name);
}

/** @throws DrError where a critical store has no backup that could be archived */
export async function chooseContents(context: RunContext, avoided: Avoided): Promise<ArchiveContents> {
  const entries = new Map<string, TarEntry>();
  const backups: ArchivedBackup[] = [];
  const leftOut: { store: string; why: string }[] = [];
  for (const store of context.plan.stores.filter((one) => isArchived(context.plan, one))) {
    const wanted = kindOf(context.plan, store);
    const { records } = wanted === undefined ? { records: [] } : await context.catalog.list(wanted);
    const record = records.findLast((one) => outcomeOf(one) === "ok") ?? records.findLast((one) => outcomeOf(one) !== "failed");
    if (record === undefined) {
      leftOut.push({ store: store.name, why: "it has no backup" });
      continue;
    }
    const chosen = await entriesOf(context, record, avoided);
    if ("why" in chosen) {
      leftOut.push({ store: store.name, why: chosen.why });
      continue;
    }
    const text = Buffer.from(seal(record));
    for (const entry of [{ path: keyOf(record.store, record.id), bytes: text.length, open: () => Promise.resolve(oneChunk(text)) }, ...chosen.entries]) entries.set(entry.path, entry);
    backups.push({ store: store.name, backup: record.id, recoveredTo: record.watermark.time, ...(chosen.from === undefined ? {} : { from: chosen.from }) });
  }
  return { entries: [...entries.values()], backups, leftOut };
}

// eslint-disable-next-line @typescript-eslint/require-await -- a source is read as a stream, and this one is in memory
async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function entriesOf(context: RunContext, record: BackupRecord, avoided: Avoided): Promise<{ readonly entries: readonly TarEntry[]; readonly from?: string } | { readonly why: string }> {
  if (record.encryption === "pgbackrest-aes-256-cbc") return postgresFiles(context, record, avoided);
  if (record.objects.length === 0) return { why: `its backup ${record.id} is a copy in place, in buckets whose older versions are its history` };
  return { entries: record.objects.map((object) => ({ path: object.key, bytes: object.bytes, open: () => Promise.resolve(openObject(context, record, object, avoided)) })) };
}

/** From the first backend that has a copy and was not found to be damaged; encrypted as it is. */
function openObject(context: RunContext, record: BackupRecord, object: StoredObject, avoided: Avoided): AsyncIterable<Uint8Array> {
  const good = record.copies.flatMap((copy) => (copy.status === "ok" ? [copy.backend] : []));
  const backend = context.backends.find(({ name }) => good.includes(name) && !avoided.has(`${name} ${object.key}`));
  if (backend === undefined) throw new DrError({ kind: "failed", what: "no copy is whole", where: `${record.id}, ${object.key}`, todo: "`dr verify` names what is wrong with each; then back up again." });
  return guarded(backend, object.key, avoided, async () => {
    const checked = checkedStream(object, backend.uri(object.key));
    const body = await backend.get(object.key, undefined, context.signal);
    pipeline(body, checked, () => undefined); // its error is that of `checked`
    return checked;
  });
}

/** Notes the copy where reading it fails, so that another attempt takes another. */
export async function* guarded(backend: StorageBackend, key: string, avoided: Avoided, open: () => Promise<AsyncIterable<Uint8Array>>): AsyncGenerator<Uint8Array> {
  try {
    yield* await open();
  } catch (cause) {
    avoided.add(`${backend.name} ${key}`);
    throw new DamagedSource({ kind: "failed", what: `a copy that was to be archived cannot be read: ${messageOf(cause)}`, where: backend.uri(key), todo: "Another copy is tried; `dr verify` tells what is wrong with this one.", cause });
  }
}
