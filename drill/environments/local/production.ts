import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { postgresUser } from "../../../plan/secrets.ts";
import type { Plan } from "../../../plan/types.ts";
import { DrError, messageOf } from "../../../runner/errors.ts";
import type { OsUser, Server } from "../../../runner/system/process.ts";
import { waitFor, type WaitOptions } from "../../../runner/system/wait.ts";
import { etcdAnswers, startEtcd } from "../servers/etcd.ts";
import { findPostgresPrograms, isLeader, startPatroni, type PostgresPrograms } from "../servers/patroni.ts";
import { findRedisPrograms, redisRole, sentinelKnows, startRedis, startSentinel, type RedisPrograms } from "../servers/redis.ts";
import { archiveCommandOf, createStanza, findPgbackrest, writeArchiverConf, type Pgbackrest } from "./archiver.ts";
import { createDatabase, waitForStandbys } from "./database.ts";
import type { Layout, MemberName, RegionName } from "./layout.ts";
import { drillMarker, killProcess, killProcesses, processesOfPostgres } from "./processes.ts";
import type { SecretFiles, Secrets } from "./secrets.ts";
import { backendConfigs, type ObjectStores } from "./stores.ts";
import { together } from "./together.ts";

/** Seconds that one kind of server may take to be ready on a busy machine. */
const readyWithin = 90;

export type ServerName = MemberName | `etcd-${RegionName}` | "redis-a" | "redis-b" | `sentinel-${RegionName}`;

export interface ProductionPrograms {
  readonly postgres: PostgresPrograms;
  readonly redis: RedisPrograms;
  readonly pgbackrest: Pgbackrest;
}

export async function findProgramsOfProduction(): Promise<ProductionPrograms> {
  const [postgres, redis, pgbackrest] = await Promise.all([findPostgresPrograms(), findRedisPrograms(), findPgbackrest()]);
  return { postgres, redis, pgbackrest };
}

export interface ProductionOptions {
  readonly layout: Layout;
  readonly plan: Plan;
  readonly programs: ProductionPrograms;
  readonly secrets: Secrets;
  /** The copies that lie in each of the regions that hold data. */
  readonly regionSecrets: Readonly<Record<"a" | "b", SecretFiles>>;
  readonly stores: ObjectStores;
  readonly user: OsUser | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The servers of the three regions: started, waited for, killed. Each is a process group of its own. */
export class Production {
  private readonly options: ProductionOptions;
  private readonly servers = new Map<ServerName, Server>();
  private readonly env: Readonly<Record<string, string>>;
  private readonly wait: WaitOptions;
  /** Ends every wait when one server cannot be started. */
  private readonly failed = new AbortController();
  private readonly signal: AbortSignal;

  constructor(options: ProductionOptions) {
    this.options = options;
    this.env = { [drillMarker]: options.layout.id };
    this.signal = AbortSignal.any([this.failed.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    this.wait = { within: readyWithin, every: 0.05, signal: this.signal };
  }

  /** Starts everything in the order in which one needs the other, and waits until it is whole. */
  async start(report: (step: string) => void): Promise<void> {
    const { layout } = this.options;
    report("starting etcd and Redis in three regions");
    await this.startAll("etcd-a", "etcd-b", "etcd-c", "redis-a", "redis-b");
    await this.allOf(layout.etcd.map((member) => this.waitForServer(member.name, `a leader of etcd at ${member.name}`, () => etcdAnswers(member))));
    await this.allOf([this.startSentinels(), this.startPostgres(report)]);
  }

  private async startPostgres(report: (step: string) => void): Promise<void> {
    const { layout, programs, secrets, user } = this.options;
    const [a1, a2, b1] = layout.members;
    report("making the PostgreSQL leader");
    await this.startServer("a1");
    await this.waitForServer("a1", "a1 as the leader", () => isLeader(a1));
    report("making the synchronous and the asynchronous replica");
    const stanza = createDatabase(a1, secrets.app).then(() => createStanza(a1, programs.pgbackrest, user, this.signal));
    await this.allOf([stanza, this.startAll("a2", "b1")]);
    await waitForStandbys(a1, { synchronous: a2.name, asynchronous: b1.name }, this.wait);
  }

  private async startSentinels(): Promise<void> {
    const { layout, regionSecrets } = this.options;
    const [, replica] = layout.redis;
    const login = { user: "monitoring", passwordFile: regionSecrets.b.redis.monitoring };
    await this.waitForServer("redis-b", "the replica of Redis", async () => (await redisRole(replica.port, login)).linkUp);
    await this.startAll("sentinel-a", "sentinel-b", "sentinel-c");
    for (const { region, port } of layout.sentinels) {
      await this.waitForServer(`sentinel-${region}`, `Sentinel ${region} to know the replica and the other Sentinels`, async () => {
        const known = await sentinelKnows(port);
        return known.replicas === 1 && known.sentinels === layout.sentinels.length - 1;
      });
    }
  }

  private startAll(...names: readonly ServerName[]): Promise<void> {
    return this.allOf(names.map((name) => this.startServer(name)));
  }

  private allOf(works: readonly Promise<unknown>[]): Promise<void> {
    return together(works, () => this.failed.abort());
  }

  /** Starts one server; also one that was killed and whose disk is still there. That it is ready is not waited for. */
  async startServer(name: ServerName): Promise<void> {
    if (this.servers.get(name)?.running() === true) throw new DrError({ kind: "refused", what: `the server ${name} runs already`, where: this.options.layout.root, todo: "Kill it first." });
    this.signal.throwIfAborted();
    this.servers.set(name, await this.launch(name));
  }

  private async launch(name: ServerName): Promise<Server> {
    const { layout, plan, programs, regionSecrets, secrets, stores, user } = this.options;
    const common = { plan, user, env: this.env, logFile: join(layout.logs, `${name}.log`) };
    const [kind, region] = name.split("-");
    const etcd = layout.etcd.find((member) => member.name === name);
    if (etcd !== undefined) return startEtcd({ ...common, member: etcd, members: layout.etcd, clusterToken: layout.id, folder: etcd.folder });
    const member = layout.members.find((one) => one.name === name);
    if (member !== undefined) {
      await writeArchiverConf(member, plan, programs.pgbackrest, await backendConfigs(stores, "writer", regionSecrets[member.region], join(layout.regions[member.region], "secrets")), user);
      return startPatroni({
        ...common, programs: programs.postgres, scope: "blackroad", member, members: layout.members,
        etcdHosts: layout.etcd.map(({ address, clientPort }) => `${address}:${clientPort}`),
        archiveCommand: archiveCommandOf(member, programs.pgbackrest),
        superuser: { name: postgresUser(plan, "superuser"), password: secrets.superuser },
        replication: { name: postgresUser(plan, "replication"), password: secrets.replication },
        rest: { name: "patroni", password: secrets.rest },
        localAccounts: [userInfo().username, user?.name ?? userInfo().username],
      });
    }
    const [primary] = layout.redis;
    const master = { host: "127.0.0.1", port: primary.port };
    const redis = layout.redis.find((one) => kind === "redis" && one.region === region);
    if (redis !== undefined) return startRedis({ ...common, programs: programs.redis, name: redis.region, port: redis.port, folder: redis.folder, socket: redis.socket, passwords: secrets.redis, ...(redis === primary ? {} : { replicaOf: master }) });
    const sentinel = layout.sentinels.find((one) => kind === "sentinel" && one.region === region);
    if (sentinel !== undefined) return startSentinel({ ...common, programs: programs.redis, name: sentinel.region, port: sentinel.port, folder: sentinel.folder, master, password: secrets.redis.sentinel });
    throw new RangeError(`the drill has no server ${name}`);
  }

  /** Waits for what a server should come to; where it does not, the error tells the end of its log, which goes with the drill. */
  private async waitForServer(name: ServerName, awaited: string, look: () => Promise<boolean>): Promise<void> {
    const seen = await waitFor(awaited, async () => (this.servers.get(name)?.running() === true ? (await look()) && "ready" : "ended"), this.wait).catch((error: unknown) => {
      this.signal.throwIfAborted();
      return messageOf(error);
    });
    if (seen === "ready") return;
    const log = await readFile(join(this.options.layout.logs, `${name}.log`), "utf8").catch(() => "(it has no log)");
    throw new DrError({ kind: "unavailable", what: `${awaited}: ${seen === "ended" ? "the server ended" : seen}; its log ends: ${log.trim().split("\n").slice(-6).join(" | ")}`, where: name, todo: "A server of the drill did not start: see whether this machine has its memory and its disk free." });
  }

  /** SIGKILL to a server and to whatever it started, wherever that went; its disk stays. */
  async kill(name: ServerName): Promise<void> {
    await this.killNow([name]);
    await killProcesses(name, { folders: [this.folderOf(name)] });
  }

  /** SIGKILL to every process of a region, those of jobs too. */
  async killRegion(region: RegionName): Promise<void> {
    await this.killNow([...this.servers.keys()].filter((name) => this.regionOf(name) === region));
    await killProcesses(`region ${region}`, { folders: [this.options.layout.regions[region]] });
  }

  /**
   * The servers die in one moment; what they left is looked for afterwards. PostgreSQL leads a group of its own and
   * would go on taking writes without its Patroni, so it is killed first.
   */
  private async killNow(names: readonly ServerName[]): Promise<void> {
    const members = this.options.layout.members.filter(({ name }) => names.includes(name));
    const postgres = (await Promise.all(members.map(({ dataDirectory }) => processesOfPostgres(dataDirectory)))).flat();
    for (const pid of postgres) killProcess(pid);
    await Promise.all([...this.servers].filter(([name]) => names.includes(name)).map(([, server]) => server.kill()));
  }

  private folderOf(name: ServerName): string {
    const { etcd, members, regions } = this.options.layout;
    const [kind] = name.split("-");
    return [...etcd, ...members].find((one) => one.name === name)?.folder ?? join(regions[this.regionOf(name)], kind ?? name);
  }

  private regionOf(name: ServerName): RegionName {
    const letter = /^[abc](?=\d$)|(?<=-)[abc]$/.exec(name)?.[0];
    if (letter === "a" || letter === "b" || letter === "c") return letter;
    throw new RangeError(`the server ${name} is in no region`);
  }
}
