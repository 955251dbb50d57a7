import { createReadStream } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { createInterface } from "node:readline";
import { z } from "zod";
import { DrError, messageOf } from "../../runner/errors.ts";

/**
 * What the workload was promised: one JSON line per event, in a file outside every region. A heartbeat counts as
 * acknowledged only when its line was flushed to the disk. Times are milliseconds since 1970, by the clock of this
 * machine, which is also the clock of the disaster.
 */
const storeName = z.enum(["postgres", "redis"]);
const milliseconds = z.number();

const acknowledgement = z.object({
  kind: z.literal("ack"),
  store: storeName,
  /** The heartbeat's number. Redis counts its own. */
  tick: z.int(),
  /** When the store's acknowledgement came in. */
  at: milliseconds,
  /** PostgreSQL: a position of the log behind the commit. */
  lsn: z.string().optional(),
  /** Redis: the PostgreSQL heartbeat that the agents' working memory reflects. */
  reflects: z.int().optional(),
});
const lag = z.object({
  kind: z.literal("lag"),
  at: milliseconds,
  tick: z.int(),
  /** From the acknowledgement on the leader until the tick was read on the asynchronous replica. */
  seconds: z.number(),
  /** The part of `seconds` that may be the reader's own: since the last look at the replica that had not seen the tick. */
  unsure: z.number(),
});
const interrupted = z.object({
  kind: z.literal("interrupted"),
  store: storeName,
  /** When the first write failed. */
  at: milliseconds,
  error: z.string(),
});
const unanswered = z.object({
  kind: z.literal("unanswered"),
  store: storeName,
  /** Sent and never answered: it may be there or not. */
  tick: z.int(),
  at: milliseconds,
});
const resumed = z.object({
  kind: z.literal("resumed"),
  store: storeName,
  /** When a write was acknowledged again. */
  at: milliseconds,
  /** The greatest heartbeat that was found in the store when it came back; 0: none. */
  found: z.int(),
  /** The greatest that had been acknowledged before; those between were lost. */
  acknowledged: z.int(),
  /** Where it is now. */
  server: z.string(),
});

const entrySchema = z.discriminatedUnion("kind", [acknowledgement, lag, unanswered, interrupted, resumed]);
export type LedgerEntry = z.infer<typeof entrySchema>;
export type Acknowledgement = z.infer<typeof acknowledgement>;
export type LagSample = z.infer<typeof lag>;
export type Unanswered = z.infer<typeof unanswered>;
export type Interruption = z.infer<typeof interrupted>;
export type Resumption = z.infer<typeof resumed>;
export type WorkloadStore = z.infer<typeof storeName>;

export interface LedgerWriter {
  /** Resolves when the entry is on the disk. */
  append(entry: LedgerEntry): Promise<void>;
  close(): Promise<void>;
}

/** Appends to `path`. Entries that come while a flush is under way share the next one. */
export async function openLedger(path: string): Promise<LedgerWriter> {
  const file = await open(path, "a", 0o640);
  let waiting: { readonly line: string; readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  let flushing: Promise<void> | undefined;
  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await writeBatch(file, batch.map(({ line }) => line).join(""));
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    flushing = undefined;
  };
  return {
    append: (entry) =>
      new Promise<void>((done, failed) => {
        waiting.push({ line: `${JSON.stringify(entry)}\n`, done, failed });
        flushing ??= flush();
      }),
    close: async () => {
      await flushing;
      await file.close();
    },
  };
}

async function writeBatch(file: FileHandle, text: string): Promise<void> {
  await file.appendFile(text);
  await file.datasync();
}

/** Everything that the workload recorded, by kind, each in the order of its time. */
export interface Ledger {
  readonly acknowledged: Readonly<Record<WorkloadStore, readonly Acknowledgement[]>>;
  readonly unanswered: readonly Unanswered[];
  readonly lags: readonly LagSample[];
  readonly interruptions: readonly Interruption[];
  readonly resumptions: readonly Resumption[];
}

/** Reads the ledger; the writer may still be appending. A last line without its end was never flushed: left out. */
export async function readLedger(path: string): Promise<Ledger> {
  const ledger: Gathered = { acknowledged: { postgres: [], redis: [] }, unanswered: [], lags: [], interruptions: [], resumptions: [] };
  let number = 0;
  let unfinished: string | undefined;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (unfinished !== undefined) sort(ledger, parseLine(unfinished, path, number));
    unfinished = line;
    number += 1;
  }
  if (unfinished !== undefined && unfinished.endsWith("}")) sort(ledger, parseLine(unfinished, path, number));
  return ledger;
}

interface Gathered {
  readonly acknowledged: Readonly<Record<WorkloadStore, Acknowledgement[]>>;
  readonly unanswered: Unanswered[];
  readonly lags: LagSample[];
  readonly interruptions: Interruption[];
  readonly resumptions: Resumption[];
}

function sort(ledger: Gathered, entry: LedgerEntry): void {
  switch (entry.kind) {
    case "unanswered":
      ledger.unanswered.push(entry);
      break;
    case "ack":
      ledger.acknowledged[entry.store].push(entry);
      break;
    case "lag":
      ledger.lags.push(entry);
      break;
    case "interrupted":
      ledger.interruptions.push(entry);
      break;
    case "resumed":
      ledger.resumptions.push(entry);
      break;
  }
}

function parseLine(line: string, path: string, number: number): LedgerEntry {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new DrError({ kind: "failed", what: `the ledger has a line that is no entry: ${messageOf(cause)}`, where: `${path}:${number}`, todo: "Without a whole ledger no RPO can be measured: run the drill again.", cause });
  }
}
