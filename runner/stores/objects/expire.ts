/** Takes out of the copy of the objects what no state that is kept needs any more: until then deletions are not followed. */
import type { RunContext } from "../../context.ts";
import type { ObjectBucket } from "./bucket.ts";
import { baseRun, changesRun, openIndex, timeOfRun } from "./index.ts";
import { folders, historyPlaceOf, placeOf } from "./keys.ts";
import { alone } from "./lock.ts";
import { openTarget } from "./source-and-target.ts";

export interface ObjectsExpiryOptions {
  /** When the oldest state that is kept was: of what no state since then holds, nothing is needed. */
  readonly horizon: Date;
  /** Asked before each request that deletes; throws where it must not go on. */
  readonly mustGoOn: () => Promise<void>;
  /** Count, and remove nothing. */
  readonly dryRun: boolean;
}

export interface ExpiredObjects {
  readonly objects: number;
  readonly bytes: number;
}

/** Seconds that a copying is waited for; the next expiry is a day later. */
const waitForOthers = 300;
/** Keys in one request. */
const batchSize = 500;
/** Contents that one run looks at, in memory; the rest is the next run's. */
const mostAtOnce = 200_000;

/**
 * Contents of objects that were gone from the source before `horizon`; contents that had been overwritten by then, where
 * the bucket keeps no versions (where it does, its own life cycle ends them); and files of the index that only older states
 * are made of. The state at `horizon` and every later one stay as they are.
 */
export async function expireObjects(context: RunContext, options: ObjectsExpiryOptions): Promise<ExpiredObjects> {
  const target = await openTarget(context);
  try {
    return await alone(context.config.workDirectory, waitForOthers, context.signal, async (folder) => {
      const removal = new Removal(target, options);
      const { signal } = context;
      const { horizon } = options;
      // Runs are read before anything goes: what cannot be read is no reason to remove anything.
      const files = await overIndex(target, horizon);
      const history = await overHistory(target, horizon, folder, signal);
      const now = await openIndex(target, { folder, signal });
      context.report({ step: "remove objects whose retention is over" });
      for await (const { key, deleted } of now.entries()) {
        if (deleted === undefined || Date.parse(deleted) >= horizon.getTime()) continue;
        const there = await target.head(placeOf(key));
        // One that came back a moment ago is younger, and in no index yet.
        if (there !== undefined && there.modifiedAt < horizon) await removal.add(placeOf(key), there.bytes);
      }
      for (const [key, bytes] of [...history, ...files]) await removal.add(key, bytes);
      return removal.end();
    });
  } finally {
    target.close();
  }
}

class Removal {
  readonly #target: ObjectBucket;
  readonly #options: ObjectsExpiryOptions;
  #batch: string[] = [];
  #objects = 0;
  #bytes = 0;

  constructor(target: ObjectBucket, options: ObjectsExpiryOptions) {
    this.#target = target;
    this.#options = options;
  }

  async add(key: string, bytes: number): Promise<void> {
    this.#batch.push(key);
    this.#objects += 1;
    this.#bytes += bytes;
    if (this.#batch.length >= batchSize) await this.#flush();
  }

  async end(): Promise<ExpiredObjects> {
    await this.#flush();
    return { objects: this.#objects, bytes: this.#bytes };
  }

  async #flush(): Promise<void> {
    const keys = this.#batch;
    this.#batch = [];
    if (keys.length === 0 || this.#options.dryRun) return;
    await this.#options.mustGoOn();
    await this.#target.remove(keys);
  }
}

/** Contents that were put aside and that the state at `horizon` does not mean. What a later run wrote, later states may mean. */
async function overHistory(target: ObjectBucket, horizon: Date, folder: string, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for await (const { key, bytes } of target.list(folders.history)) {
    const run = key.slice(folders.history.length).split("/")[0] ?? "";
    if (!(timeOfRun(run) <= horizon) || found.size >= mostAtOnce) break; // runs are listed by their time
    found.set(key, bytes);
  }
  if (found.size === 0) return found;
  const then = await openIndex(target, { at: horizon, folder, signal });
  for await (const { key, run } of then.entries()) found.delete(historyPlaceOf(key, run));
  return found;
}

/**
 * Bases and changes that no state since `horizon` is made of. One more base than is needed stays, with what was changed
 * behind it: it serves where the other is damaged.
 */
async function overIndex(target: ObjectBucket, horizon: Date): Promise<ReadonlyMap<string, number>> {
  const over = new Map<string, number>();
  const bases: { key: string; run: string; bytes: number }[] = [];
  for await (const { key, bytes } of target.list(folders.base)) {
    const run = baseRun(key);
    if (run !== undefined && timeOfRun(run) <= horizon) bases.push({ key, run, bytes });
  }
  const spare = bases.at(-2);
  if (spare === undefined) return over;
  for await (const { key, bytes } of target.list(folders.changes)) {
    const run = changesRun(key);
    if (run === undefined || run > spare.run || over.size >= mostAtOnce) break;
    over.set(key, bytes);
  }
  for (const { key, run, bytes } of bases) if (run < spare.run) over.set(key, bytes);
  return over;
}
