import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { RedisRole } from "../../../plan/config/redis.ts";
import type { Plan } from "../../../plan/types.ts";
import type { Progress } from "../../../runner/context.ts";
import { DrError, messageOf } from "../../../runner/errors.ts";
import { makeFolder } from "../../../runner/system/files.ts";
import { run, type OsUser } from "../../../runner/system/process.ts";
import { databaseUser } from "../../../runner/system/user.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import type { RedisAddress } from "../../../runner/stores/redis/connection.ts";
import { isLeader } from "../servers/patroni.ts";
import { masterName, primaryBySentinel } from "../servers/redis.ts";
import { seedAgents } from "../../workload/seed.ts";
import { startWorkload, type Workload } from "../../workload/start.ts";
import type { Schedule } from "../../workload/schedule.ts";
import type { PostgresAddress } from "../../workload/validate-postgres.ts";
import type { WriterPace } from "../../workload/writer-config.ts";
import { writeProductionConfig, writeRecoveryConfig, type RecoveryPlace } from "./configuration.ts";
import { appRole, databaseName } from "./database.ts";
import { makeIsolation, proveIsolation, type Isolation, type IsolationProof } from "./isolation.ts";
import { makeLayout, portsOfLayout, storeBackendNames, type Layout, type Member, type MemberName, type RedisPlace, type RegionName, type StoreBackendName } from "./layout.ts";
import { removeDrill, writeMark, type Leftovers } from "./leftovers.ts";
import { freePorts } from "../../../runner/system/ports.ts";
import { drillMarker } from "./processes.ts";
import { findProgramsOfProduction, Production, type ProductionPrograms, type ServerName } from "./production.ts";
import { makeSecrets, writeSecrets, type SecretFiles, type Secrets } from "./secrets.ts";
import { startStores, type ObjectStores } from "./stores.ts";

export interface LocalOptions {
  /** The drill's name; every process carries it. */
  readonly id: string;
  /** The drill's own folder, which must not exist: everything is in it, and it goes with the drill. Short: sockets. */
  readonly root: string;
  readonly agents: number;
  readonly seed: number;
  /** Scaled already; its `intervalScale` goes into the configurations. */
  readonly plan: Plan;
  readonly report?: (progress: Progress) => void;
  /** Stops what is being waited for; `create` then removes what it had made. */
  readonly signal?: AbortSignal;
  /** `folders` for a test without S3 servers. Default: `s3` where this machine has the server. */
  readonly stores?: "s3" | "folders";
}

export interface Skipped {
  readonly what: string;
  readonly why: string;
}

const portAttempts = 3;

/** PostgreSQL's user must be able to enter the folder: one parent with mode 0700 keeps it out. */
async function requireReach(root: string, user: OsUser | undefined): Promise<void> {
  if (user === undefined) return;
  const { code } = await run("test", ["-x", root], { user, deadline: 10, accept: [0, 1] });
  if (code !== 0) throw new DrError({ kind: "unavailable", what: `the user ${user.name}, who runs the drill's servers, cannot enter the drill's folder`, where: root, todo: "Name a folder whose parents everybody may pass through (mode 0711), e.g. under /tmp." });
}

interface Parts {
  readonly options: LocalOptions;
  readonly layout: Layout;
  readonly stores: ObjectStores;
  readonly production: Production;
  readonly secrets: Secrets;
  readonly secretFiles: SecretFiles;
  readonly regionSecrets: Readonly<Record<"a" | "b", SecretFiles>>;
  readonly programs: ProductionPrograms;
}

/**
 * A production of real servers in three regions on this machine, for a drill to destroy. Region a is the primary
 * (PostgreSQL a1 leads, a2 follows synchronously; Redis's primary), b the secondary (b1 follows asynchronously;
 * Redis's replica), c the witness; each has its etcd and its Sentinel. Two object stores stand outside the regions.
 *
 * Life: `create` → `seed` → `startWorkload` → disasters → `recoveryConfig` and `isolation` → `destroy`, always.
 */
export class LocalEnvironment {
  readonly layout: Layout;
  /** What this machine cannot play, and why. */
  readonly skipped: readonly Skipped[];
  readonly programs: ProductionPrograms;
  readonly #parts: Parts;
  #isolation: Promise<Isolation> | undefined;
  #workload: Workload | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.layout = parts.layout;
    this.programs = parts.programs;
    this.skipped = parts.stores.skipped === undefined ? [] : [parts.stores.skipped];
  }

  /** Makes the servers, waits until a2 is synchronous, makes the stanza. On failure nothing is left behind. */
  static async create(options: LocalOptions): Promise<LocalEnvironment> {
    const root = resolve(options.root);
    for (let attempt = 1; ; attempt += 1) {
      await mkdir(root, { recursive: false, mode: 0o711 }).catch((cause: unknown) => {
        throw new DrError({ kind: "refused", what: "the drill's folder cannot be made", where: root, todo: "Name a folder that does not exist, inside one that you may write to; `dr drill sweep` removes what an earlier drill left.", cause });
      });
      try {
        await writeMark(root, options.id);
        return await LocalEnvironment.#build({ ...options, root });
      } catch (error) {
        await removeDrill(root, options.id);
        // Between the choice of a port and its server's start somebody else can take it.
        if (attempt >= portAttempts || !/address already in use/i.test(messageOf(error))) throw error;
        options.report?.({ step: "starting again on other ports: one was taken meanwhile" });
      }
    }
  }

  static async #build(options: LocalOptions): Promise<LocalEnvironment> {
    const { id, plan, root, signal } = options;
    const user = databaseUser();
    await requireReach(root, user);
    const programs = await findProgramsOfProduction();
    const layout = makeLayout(id, root, await freePorts(portsOfLayout));
    for (const folder of Object.values(layout.regions)) await makeFolder(folder, { owner: user });
    for (const folder of [layout.logs, layout.workload, layout.secrets]) await makeFolder(folder);
    await makeFolder(join(root, "stores"), { mode: 0o711 });
    const secrets = makeSecrets();
    const secretFiles = await writeSecrets(secrets, layout.secrets);
    const regionSecrets = { a: await writeSecrets(secrets, join(layout.regions.a, "secrets"), user), b: await writeSecrets(secrets, join(layout.regions.b, "secrets"), user) };
    options.report?.({ step: "starting the object stores" });
    const stores = await startStores(layout, plan, user, options.stores ?? "s3");
    const production = new Production({ layout, plan, programs, secrets, regionSecrets, stores, user, signal });
    await production.start((step) => options.report?.({ step }));
    return new LocalEnvironment({ options, layout, stores, production, secrets, secretFiles, regionSecrets, programs });
  }

  get stores(): ObjectStores {
    return this.#parts.stores;
  }

  /** Fills the agents' tables and their working memory. */
  async seed(): Promise<void> {
    const { options, secretFiles } = this.#parts;
    const { agents, seed, signal } = options;
    await seedAgents({
      agents, seed,
      postgres: await this.requireLeader(),
      database: databaseName,
      redis: { port: await this.redisPrimary(), user: "app", passwordFile: secretFiles.redis.app },
      report: (done) => options.report?.({ step: "seeding the agents", done, total: agents, unit: "agents" }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Starts the live workload as a process of its own; its ledger is at `workload.ledger`. */
  async startWorkload(pace: Partial<WriterPace> = {}): Promise<Workload> {
    const { layout, options, secretFiles } = this.#parts;
    const workload = await startWorkload({
      folder: layout.workload,
      agents: options.agents,
      seed: options.seed,
      pace,
      env: { [drillMarker]: layout.id },
      postgres: { database: databaseName, user: appRole, passwordFile: secretFiles.app, members: layout.members.map(({ name, postgresPort, restPort }) => ({ name, port: postgresPort, restPort })), lagMember: "b1" },
      redis: { user: "app", passwordFile: secretFiles.redis.app, sentinelPorts: layout.sentinels.map(({ port }) => port), masterName },
    });
    this.#workload = workload;
    return workload;
  }

  /** Whom Patroni calls the leader now, as HAProxy would find him; `undefined` between two leaders. */
  async leader(): Promise<Member | undefined> {
    const seen = await Promise.all(this.layout.members.map(isLeader));
    return this.layout.members.find((_, index) => seen[index]);
  }

  async requireLeader(): Promise<Member> {
    const leader = await this.leader();
    if (leader !== undefined) return leader;
    throw new DrError({ kind: "unavailable", what: "PostgreSQL has no leader now", where: this.layout.root, todo: "Wait for one with waitForLeader." });
  }

  /** Waits until a member of `region` leads; seconds. */
  async waitForLeader(region: "a" | "b", within: number): Promise<Member> {
    const look = async () => {
      const leader = await this.leader();
      return leader?.region === region ? leader : undefined;
    };
    return waitFor(`a PostgreSQL leader in region ${region}`, look, { within, every: 0.05, ...this.#signal });
  }

  member(name: MemberName): Member {
    const found = this.layout.members.find((one) => one.name === name);
    if (found === undefined) throw new RangeError(`the drill has no member ${name}`);
    return found;
  }

  /** The port of the Redis primary, as Sentinel knows it. */
  redisPrimary(): Promise<number> {
    return primaryBySentinel(this.layout.sentinels.map(({ port }) => port));
  }

  redis(region: "a" | "b"): RedisPlace {
    return region === "a" ? this.layout.redis[0] : this.layout.redis[1];
  }

  /** Where a member's database is validated, over its Unix socket. */
  addressOf({ socketDirectory, postgresPort }: Pick<Member, "socketDirectory" | "postgresPort">): PostgresAddress {
    return { host: socketDirectory, port: postgresPort, user: "postgres", database: databaseName };
  }

  /** Where a region's Redis is validated, over its Unix socket. */
  redisAddress(region: "a" | "b"): RedisAddress {
    const { port, socket } = this.redis(region);
    return { socket, port, user: "app", passwordFile: this.#parts.secretFiles.redis.app };
  }

  /** What the workload writes, and validation expects; known once the workload was started. */
  get schedule(): Schedule {
    if (this.#workload === undefined) throw new RangeError("the workload was not started yet");
    const { agents, seed, pace } = this.#workload.config;
    return { agents, seed, perTick: pace.agentsPerTick };
  }

  /**
   * `dr.json` of a host of production, with credentials that write. Jobs run beside the database: `member` defaults
   * to the leader where he is in the region, else to the region's first. `redisUser` defaults to `backup`.
   */
  async runnerConfig(region: "a" | "b", { member, redisUser = "backup" }: { readonly member?: MemberName; readonly redisUser?: RedisRole } = {}): Promise<string> {
    const leader = await this.leader();
    const name = member ?? (leader?.region === region ? leader.name : region === "a" ? "a1" : "b1");
    return writeProductionConfig(this.#configuration, this.member(name), this.#parts.regionSecrets[region], redisUser);
  }

  /** The configuration of a recovery; `backends` defaults to both, `name` (at most 16 letters) tells several apart. */
  recoveryConfig({ backends = storeBackendNames, name = "warm" }: { readonly backends?: readonly StoreBackendName[]; readonly name?: string } = {}): Promise<RecoveryPlace> {
    return writeRecoveryConfig(this.#configuration, this.#parts.secrets, backends, name);
  }

  /** SIGKILL to one server and whatever it started; its disk stays, and `startServer` starts it again. */
  killServer(name: ServerName): Promise<void> {
    return this.#parts.production.kill(name);
  }

  startServer(name: ServerName): Promise<void> {
    return this.#parts.production.startServer(name);
  }

  /** SIGKILL to every process of a region, then its disks are gone. */
  async killRegion(region: RegionName): Promise<void> {
    await this.#parts.production.killRegion(region);
    await rm(this.layout.regions[region], { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  /** An object store is gone: its server is killed and its data deleted. Its credentials are its users', who still have them. */
  async killBackend(name: StoreBackendName): Promise<void> {
    await this.stores[name].kill();
    await rm(this.stores[name].dataFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  /**
   * Where recovery processes run: a network namespace from which only the object stores can be reached, where we are
   * root. Made at the first call.
   */
  isolation(): Promise<Isolation> {
    this.#isolation ??= makeIsolation(this.layout, this.stores, this.#signal.signal);
    return this.#isolation;
  }

  /** Tries to reach production from the isolation, and to write with a recovery's credentials. */
  async proveIsolation(place: RecoveryPlace): Promise<IsolationProof[]> {
    return proveIsolation(this.layout, await this.isolation(), place.config);
  }

  /** Stops everything and removes the folder. What it returns should be empty. */
  async destroy(): Promise<Leftovers> {
    await this.#workload?.kill();
    return removeDrill(this.layout.root, this.layout.id);
  }

  get #configuration() {
    const { layout, options, stores } = this.#parts;
    return { layout, plan: options.plan, stores, user: databaseUser() };
  }

  get #signal(): { readonly signal?: AbortSignal } {
    const { signal } = this.#parts.options;
    return signal === undefined ? {} : { signal };
  }
}
