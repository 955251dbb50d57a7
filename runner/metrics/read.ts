/** Looks at the catalog, the buckets and the leader; what cannot be read hides nothing else. */
import { Catalog } from "../catalog/catalog.ts";
import type { BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import { configuredStores } from "../status/read.ts";
import { askReplication } from "../status/replication.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { tokenExpiries } from "../storage/credentials.ts";
import { postgresWatermark } from "../stores/postgres/watermark.ts";
import { catalogFacts } from "./facts.ts";
import { RecordMemory } from "./memory.ts";
import type { Facts, ReplicationFacts, TargetFacts } from "./samples.ts";
import { greatest, type Tally } from "./tally.ts";

/** Free space is reckoned from a list of everything in a bucket, a thousand objects a request: not at every look. */
const looksPerSpace = 5;

/** A few months have tens of thousands of backups, of which copies, times and sizes are all that is counted; only what has
 * no copies (a verification, a drill, an expiry) is asked for its details. */
const essentials = (record: BackupRecord): BackupRecord => (record.copies.length === 0 ? record : { ...record, objects: [], tools: {}, details: {} });

/** What the exporter knows, and how it comes to know it. */
export class Reader {
  readonly #context: RunContext;
  readonly #catalog: Catalog;
  readonly #memory = new RecordMemory();
  readonly #space = new Map<string, number | undefined>();
  #tally: Tally = {};
  #looks = 0;
  #facts: Facts;

  constructor(context: RunContext) {
    this.#context = context;
    this.#catalog = new Catalog(context.backends, context.clock, { readOnly: true, keep: essentials });
    this.#facts = { targets: context.backends.map(({ name }) => ({ name, up: false })), tokens: [], readAt: 0 };
  }

  /** What was seen last; there from the beginning, with nothing in it. */
  get facts(): Facts {
    return this.#facts;
  }

  /** How often it has looked. */
  get looks(): number {
    return this.#looks;
  }

  /** Looks once. Returns what could not be read, a sentence each; throws only where it was interrupted. */
  async look(): Promise<readonly string[]> {
    const { clock, signal } = this.#context;
    const startedAt = clock.now().getTime();
    /** Of the catalog and the buckets; a leader that does not answer leaves these as fresh as they are. */
    const unread: string[] = [];
    const other: string[] = [];
    const [catalog, places, wal, replication, tokens] = await Promise.all([
      this.#readCatalog(unread),
      Promise.all(this.#context.backends.map((backend) => this.#readPlace(backend, unread))),
      this.#readWal(unread),
      this.#readReplication(other),
      tokenExpiries(this.#context.config).catch((error: unknown) => {
        other.push(`a token's expiry: ${messageOf(error)}`);
        return [];
      }),
    ]);
    signal.throwIfAborted();
    this.#facts = {
      ...(catalog === undefined ? {} : { catalog }),
      targets: places.map((place): TargetFacts => ({ ...place, newestWal: wal.get(place.name) })),
      replication,
      tokens,
      readAt: unread.length === 0 ? startedAt : this.#facts.readAt,
    };
    this.#looks += 1;
    return [...unread, ...other];
  }

  /** Where no backend can be read, what was known last: its ages grow. */
  async #readCatalog(unread: string[]): Promise<Facts["catalog"]> {
    try {
      const listing = await this.#catalog.list();
      unread.push(...listing.problems.flatMap(({ backend, key, what }) => (key === undefined ? [`catalog in ${backend}: ${what}`] : [])));
      const facts = catalogFacts(this.#context.plan, this.#memory.learn(listing), configuredStores(this.#context));
      this.#tally = greatest(this.#tally, facts.tally);
      return { ...facts, tally: this.#tally };
    } catch (error) {
      unread.push(`catalog: ${messageOf(error)}`);
      return this.#facts.catalog;
    }
  }

  async #readPlace(backend: StorageBackend, unread: string[]): Promise<TargetFacts> {
    const { name } = backend;
    try {
      await backend.check();
      if (this.#looks % looksPerSpace === 0 || !this.#space.has(name)) this.#space.set(name, await backend.available());
      return { name, up: true, availableBytes: this.#space.get(name) };
    } catch (error) {
      this.#space.delete(name);
      unread.push(`${name}: ${messageOf(error)}`);
      return { name, up: false };
    }
  }

  /** When the newest segment of each repository arrived there. */
  async #readWal(unread: string[]): Promise<ReadonlyMap<string, number>> {
    const { config } = this.#context;
    if (config.postgres === undefined || config.backends.every(({ pgbackrest }) => pgbackrest === undefined)) return new Map();
    try {
      const watermarks = await postgresWatermark(this.#context);
      unread.push(...watermarks.flatMap((one) => (one.status === "failed" ? [`WAL in ${one.repository}: ${one.error}`] : [])));
      return new Map(watermarks.flatMap((one) => (one.status === "ok" ? [[one.repository, Date.parse(one.archivedAt)] as const] : [])));
    } catch (error) {
      unread.push(`PostgreSQL's log: ${messageOf(error)}`);
      return new Map();
    }
  }

  async #readReplication(other: string[]): Promise<ReplicationFacts | undefined> {
    if (this.#context.config.postgres === undefined) return undefined;
    const { role, error, lags } = await askReplication(this.#context);
    if (error !== undefined) other.push(`PostgreSQL: ${error}`);
    if (role !== "leader") return undefined;
    return {
      lags: lags.flatMap(({ standby, seconds }) => (seconds === undefined ? [] : [{ replica: standby, seconds }])),
      synchronousStandbys: lags.filter(({ mode }) => mode === "sync" || mode === "quorum").length,
    };
  }
}
