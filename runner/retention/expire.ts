/** Takes away what the plan keeps no longer, outside pgBackRest's repositories, which tidy up themselves. */
import { refuseReadOnly } from "../backup-record.ts";
import type { CatalogListing } from "../catalog/catalog.ts";
import { keyOf } from "../catalog/ids.ts";
import { recordVersion, type BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import { tallyOf } from "../metrics/tally.ts";
import { systemStore } from "../recovery-point/record.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { checkClock } from "./clock-check.ts";
import { decide, objectsHorizon, unlockedAt, type Decision } from "./decide.ts";
import { describeLease, forgetLeases, readLeases, takeLease, type StandingLease } from "./lease.ts";
import { expiryKind, newestExpiry } from "./record.ts";

export interface Freed {
  readonly objects: number;
  readonly bytes: number;
}

export interface Expiry {
  /** `paused`: somebody recovers, or expires already; nothing was done, or no more. `partial`: not everywhere. */
  readonly outcome: "ok" | "partial" | "paused" | "dry-run";
  /** By backend; of a dry run, what would be. */
  readonly freed: Readonly<Record<string, Freed>>;
  /** Records that are gone, or of a dry run are over. */
  readonly records: readonly string[];
  /** Backups whose time is over and whose record waits: for a lock, for a backend that is down, or for a copy in an archive. */
  readonly waiting: number;
  readonly spared: Decision["spared"];
  readonly problems: readonly string[];
  /** Who keeps it from going on. */
  readonly pausedBy?: string;
}

/** Objects in one request; before each the leases are looked at, so a recovery waits for no more than one. */
const batchSize = 500;

/** Thrown where a lease comes up: what was done stands, and the rest is left for the next run. */
class Paused extends Error {
  readonly lease: StandingLease;

  constructor(lease: StandingLease) {
    super(describeLease(lease));
    this.lease = lease;
  }
}

/**
 * Objects first, and a record last, when its objects are gone from every backend: a run that is killed leaves nothing
 * that no record names, and the next one goes on where it stopped. Before records go, what they counted is written down.
 * @throws DrError where nothing may be written, no catalog can be read, or the clock cannot be believed
 */
export async function expire(context: RunContext, options: { readonly dryRun?: boolean } = {}): Promise<Expiry> {
  const dryRun = options.dryRun ?? false;
  if (!dryRun) refuseReadOnly(context, "expire backups");
  const startedAt = context.clock.now();
  if (dryRun) return new Run(context, startedAt, undefined).preview();
  const lease = await takeLease(context, { purpose: "expiry", what: "dr expire" });
  try {
    if (lease.backends.length === 0) throw new DrError({ kind: "unavailable", what: "no backend took the lease, so a recovery could not see that backups expire", where: "dr expire", todo: "See why each backend refused it, above." });
    await checkClock(context, lease.key);
    await forgetLeases(context);
    return await new Run(context, startedAt, lease.key).carryOut();
  } finally {
    await lease.release();
  }
}

type Room = { -readonly [Field in keyof Freed]: Freed[Field] };

/** One attempt, and what it has come to so far. */
class Run {
  readonly #context: RunContext;
  readonly #startedAt: Date;
  readonly #ownLease: string | undefined;
  readonly #problems: string[] = [];
  readonly #freed = new Map<string, Room>();
  /** Ids of which something is left in some backend. */
  readonly #left = new Set<string>();

  constructor(context: RunContext, startedAt: Date, ownLease: string | undefined) {
    this.#context = context;
    this.#startedAt = startedAt;
    this.#ownLease = ownLease;
  }

  async preview(): Promise<Expiry> {
    const listing = await this.#context.catalog.list();
    const { due, spared } = decide(this.#context.plan, listing, this.#startedAt);
    await Promise.all(this.#context.backends.map((backend) => this.#clear(backend, due, () => Promise.resolve())));
    await this.#mirror(listing, true);
    const going = due.filter(({ record }) => !this.#stays(record));
    return this.#result("dry-run", { records: going.map(({ record }) => record.id), waiting: due.length - going.length, spared });
  }

  async carryOut(): Promise<Expiry> {
    let removed: readonly string[] = [];
    let decision: Decision = { due: [], spared: [] };
    try {
      await this.#mustGoOn();
      this.#context.report({ step: "look what is over" });
      const listing = await this.#context.catalog.list();
      this.#problems.push(...listing.problems.map(({ backend, key, what }) => (key === undefined ? `${backend} cannot be read: ${what}` : `${key} in ${backend}: ${what}; it stays`)));
      decision = decide(this.#context.plan, listing, this.#startedAt);
      const down = new Set(listing.problems.flatMap(({ backend, key }) => (key === undefined ? [backend] : [])));
      this.#context.report({ step: "remove the objects that are over" });
      await Promise.all(this.#context.backends.filter(({ name }) => !down.has(name)).map((backend) => this.#clear(backend, decision.due, (keys) => backend.remove(keys))));
      const over = decision.due.map(({ record }) => record).filter((record) => !this.#left.has(record.id) && !this.#stays(record));
      // While a backend is down its records stay, so theirs elsewhere do: they are small, and one that comes back alone
      // would be counted again.
      if (down.size === 0) removed = await this.#removeRecords(listing.records, over);
      await this.#mirror(listing, false);
      return this.#result(this.#problems.length > 0 || decision.spared.length > 0 ? "partial" : "ok", { records: removed, waiting: decision.due.length - removed.length, spared: decision.spared });
    } catch (error) {
      if (!(error instanceof Paused)) throw error;
      return { ...this.#result("paused", { records: removed, waiting: decision.due.length - removed.length, spared: decision.spared }), pausedBy: describeLease(error.lease) };
    }
  }

  #result(outcome: Expiry["outcome"], rest: Pick<Expiry, "records" | "waiting" | "spared">): Expiry {
    return { outcome, freed: Object.fromEntries(this.#freed), ...rest, problems: this.#problems };
  }

  /** Removes what is there of the due records' objects, as far as no lock refuses it. */
  async #clear(backend: StorageBackend, due: Decision["due"], remove: (keys: string[]) => Promise<void>): Promise<void> {
    const room = { objects: 0, bytes: 0 };
    this.#freed.set(backend.name, room);
    try {
      const owners = new Map(due.flatMap(({ record, keys }) => keys.map((key) => [key, record] as const)));
      let batch: string[] = [];
      const flush = async (): Promise<void> => {
        if (batch.length === 0) return;
        await this.#mustGoOn();
        await remove(batch);
        batch = [];
      };
      for (const prefix of foldersOf([...owners.keys()])) {
        for await (const { key, bytes } of backend.list(prefix)) {
          const owner = owners.get(key);
          if (owner === undefined) continue;
          if (unlockedAt(this.#context.plan, backend.name, key, Date.parse(owner.finishedAt)) > this.#startedAt.getTime()) {
            this.#left.add(owner.id);
            continue;
          }
          batch.push(key);
          room.objects += 1;
          room.bytes += bytes;
          if (batch.length >= batchSize) await flush();
        }
      }
      await flush();
    } catch (error) {
      this.#context.signal.throwIfAborted();
      if (error instanceof Paused) throw error;
      for (const { record } of due) this.#left.add(record.id);
      this.#problems.push(`${backend.name}: ${messageOf(error)}`);
    }
  }

  /** The copy of the objects is one for all of their records, so what is over in it is no record's. */
  async #mirror(listing: CatalogListing, dryRun: boolean): Promise<void> {
    const horizon = objectsHorizon(this.#context.plan, listing, this.#startedAt);
    if (horizon === undefined) return;
    const { objectsBackend } = await import("../stores/objects/source-and-target.ts");
    const name = objectsBackend(this.#context.plan);
    if (!this.#context.config.backends.some((backend) => backend.name === name && backend.kind === "s3")) return; // copied by another configuration
    try {
      const { expireObjects } = await import("../stores/objects/expire.ts");
      const { objects, bytes } = await expireObjects(this.#context, { horizon, dryRun, mustGoOn: () => this.#mustGoOn() });
      const before = this.#freed.get(name) ?? { objects: 0, bytes: 0 };
      this.#freed.set(name, { objects: before.objects + objects, bytes: before.bytes + bytes });
    } catch (error) {
      this.#context.signal.throwIfAborted();
      if (error instanceof Paused) throw error;
      this.#problems.push(`the copy of the objects: ${messageOf(error)}`);
    }
  }

  /** A record that some backend would not let go of stays everywhere; so does that of a copy which is out of reach here,
   * in an archive: without it nobody would know what lies there. */
  #stays({ store, id, finishedAt, copies }: BackupRecord): boolean {
    const within = new Set(this.#context.backends.map(({ name }) => name));
    if (copies.some(({ status, backend }) => status === "ok" && !within.has(backend))) return true;
    return this.#context.backends.some(({ name }) => unlockedAt(this.#context.plan, name, keyOf(store, id), Date.parse(finishedAt)) > this.#startedAt.getTime());
  }

  /** Writes down what the records counted, and takes them away. What an earlier run did not get to is not counted again. */
  async #removeRecords(all: readonly BackupRecord[], over: readonly BackupRecord[]): Promise<readonly string[]> {
    const { plan, catalog, clock, backends } = this.#context;
    const before = newestExpiry(all);
    const counted = new Set(before?.removed);
    const begun = all.filter(({ id }) => counted.has(id));
    const going = [...new Map([...begun, ...over].map((record) => [record.id, record])).values()];
    await this.#mustGoOn();
    const startedAt = this.#startedAt.toISOString();
    const { failed } = await catalog.write({
      version: recordVersion, id: catalog.newId(systemStore, expiryKind), store: systemStore, kind: expiryKind,
      startedAt, finishedAt: clock.now().toISOString(), watermark: { time: startedAt },
      sourceBytes: 0, objects: [], encryption: "none", copies: [], tools: {},
      // The newest is kept whatever it says: the counters go on from it.
      expiresAt: new Date(this.#startedAt.getTime() + plan.recovery.window * 1_000).toISOString(),
      details: { counted: tallyOf(plan, over.filter(({ id }) => !counted.has(id)), before?.counted), removed: going.map(({ id }) => id), freed: Object.fromEntries([...this.#freed].map(([backend, { objects, bytes }]) => [backend, { objects, bytes }])) },
    });
    if (failed.length > 0) throw new DrError({ kind: "unavailable", what: `no record was removed, as what they counted could not be written down everywhere: ${failed.map(({ backend, error }) => `${backend}: ${error}`).join("; ")}`, where: "catalog", todo: "Repair the backend; the next run goes on." });
    this.#context.report({ step: "remove the records that are over" });
    const keys = going.map(({ store, id }) => keyOf(store, id));
    for (let from = 0; from < keys.length; from += batchSize) {
      await this.#mustGoOn();
      const batch = keys.slice(from, from + batchSize);
      await Promise.all(backends.map((backend) => backend.remove(batch).catch((error: unknown) => void this.#problems.push(`${backend.name}: ${messageOf(error)}`))));
    }
    return going.map(({ id }) => id);
  }

  /** @throws Paused where somebody recovers, or another expiry is at work */
  async #mustGoOn(): Promise<void> {
    this.#context.signal.throwIfAborted();
    if (this.#ownLease === undefined) return;
    const { standing } = await readLeases(this.#context);
    const other = standing.find(({ key }) => key !== this.#ownLease);
    if (other !== undefined) throw new Paused(other);
  }
}

/** The folders that keys lie in, e.g. `redis/`. */
const foldersOf = (keys: readonly string[]): readonly string[] => [...new Set(keys.map((key) => `${key.split("/")[0] ?? ""}/`))];
