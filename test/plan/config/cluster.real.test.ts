import { chown, copyFile, readFile, realpath } from "node:fs/promises";
import { request } from "node:https";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issue, makeAuthority, type Authority, type Certificate } from "../../../drill/environments/certificates.ts";
import { freePorts } from "../../../runner/system/ports.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { etcdConf, type EtcdMember } from "../../../plan/config/etcd.ts";
import { haproxyCfg, healthPath, type HaproxyPorts, type ProxiedMember } from "../../../plan/config/haproxy.ts";
import { patroniYml } from "../../../plan/config/patroni.ts";
import { postgresParameters, type ClusterMember } from "../../../plan/config/postgresql.ts";
import { parseVersion, type ToolVersion } from "../../../plan/config/version.ts";
import { mib } from "../../../plan/units.ts";
import { connectTo, queryValue } from "../../../runner/stores/postgres/connection.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { run, startServer, type Server } from "../../../runner/system/process.ts";
import { findProgram, lookUpProgram } from "../../../runner/system/programs.ts";
import { databaseUser } from "../../../runner/system/user.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

const programs = Object.fromEntries(await Promise.all(["haproxy", "patroni", "etcd", "postgres"].map(async (name) => [name, await lookUpProgram(name)] as const)));
/** python3-etcd hands TLS to pyOpenSSL, which needs it and which no Debian package of them depends on. */
const idna = await run("python3", ["-c", "import idna"], { deadline: 20, accept: [0, 1] }).then(({ code }) => code === 0, () => false);
const missing = [...Object.entries(programs).filter(([, path]) => path === undefined).map(([name]) => name), ...(idna ? [] : ["python3-idna"])];
const [primaryRegion, secondaryRegion] = ["us-east-1", "us-west-2"];
const passwords = { superuser: "of-the-superuser", replication: "of-replication", rewind: "of-rewind", rest: "of-rest" };

/** A region's server on this machine: everything over TLS, under the name `localhost`. */
interface Placed extends ClusterMember, ProxiedMember {
  readonly role: "primary-region" | "secondary-region";
  readonly region: string;
  readonly folder: string;
}

const versionOf = async (program: string): Promise<ToolVersion> => {
  const version = parseVersion((await run(program, ["--version"], { deadline: 20 })).stdout);
  if (version === undefined) throw new Error(`${program} does not tell its version`);
  return version;
};

describe.skipIf(missing.length > 0)(`a cluster of two regions over TLS (needs ${missing.join(", ") || "nothing more"})`, () => {
  const owner = databaseUser();
  let root: string;
  let authority: Authority;
  let own: Certificate;
  let etcds: readonly EtcdMember[];
  let near: Placed;
  let far: Placed;
  let proxies: Readonly<Record<"near" | "far", HaproxyPorts>>;
  const servers = new Map<string, Server>();
  const undo: (() => Promise<unknown>)[] = [];

  async function certificate(name: string, hosts: readonly string[]): Promise<Certificate> {
    const made = await issue(authority, { name, hosts });
    if (owner !== undefined) await chown(made.key, owner.uid, owner.gid);
    return made;
  }
  const files = ({ certificate: certFile, key: keyFile, caFile }: Certificate) => ({ certFile, keyFile, caFile });
  const start = async (name: string, program: string, args: readonly string[], folder: string) => {
    const server = await startServer(name, await findProgram(program), args, { cwd: folder, env: { HOME: folder }, logFile: join(folder, `${name}.log`), user: owner });
    servers.set(name, server);
    undo.push(() => server.stop({ signal: "SIGTERM" }));
  };

  async function startEtcd(member: EtcdMember): Promise<void> {
    const folder = await makeFolder(join(root, member.name), { owner });
    const version = await versionOf(await findProgram("etcd"));
    const tls = { ...files(own), version };
    const text = etcdConf({ plan: blackroad, member, members: etcds, dataDirectory: await makeFolder(join(folder, "data"), { owner }), clusterToken: "test", listenAddress: "127.0.0.1", tls });
    await writeDurably(join(folder, "etcd.yml"), text, { owner });
    await start(member.name, "etcd", ["--config-file", join(folder, "etcd.yml")], folder);
  }

  async function startPatroni(member: Placed): Promise<void> {
    const folder = await makeFolder(member.folder, { owner });
    const socketDirectory = await makeFolder(join(folder, "run"), { owner });
    const postgres = await realpath(await findProgram("postgres"));
    const text = patroniYml({
      plan: blackroad, version: await versionOf(await findProgram("patroni")), scope: "test", member, members: [near, far],
      address: "localhost", listenAddress: "127.0.0.1", restPort: member.restPort, postgresPort: member.postgresPort,
      etcdHosts: etcds.map(({ address, clientPort }) => `${address}:${clientPort}`),
      dataDirectory: join(folder, "data"), binDirectory: dirname(postgres), socketDirectory, pgpassFile: join(folder, "pgpass"),
      parameters: postgresParameters({ plan: blackroad, version: (await versionOf(postgres)).major, archiveCommand: "off", listenAddresses: ["127.0.0.1"], port: member.postgresPort, socketDirectory, sharedBuffers: mib(32), tls: files(own) }),
      superuser: { name: "postgres", password: passwords.superuser }, replication: { name: "blackroad_replication", password: passwords.replication }, rewind: { name: "blackroad_rewind", password: passwords.rewind },
      restCredentials: { name: "patroni", password: passwords.rest }, localAccounts: [owner?.name ?? userInfo().username], networks: ["127.0.0.0/8"], tls: files(own),
    });
    await writeDurably(join(folder, "patroni.yml"), text, { mode: 0o600, owner });
    await start(member.name, "patroni", [join(folder, "patroni.yml")], folder);
  }

  async function startProxy(region: string, ports: HaproxyPorts): Promise<void> {
    const folder = await makeFolder(join(root, `proxy-${region}`), { owner });
    await writeDurably(join(folder, "haproxy.cfg"), haproxyCfg({ plan: blackroad, region, members: [near, far], ports, listenAddress: "127.0.0.1", followNames: false, caFile: own.caFile, certificateFile: own.certificate }), { owner });
    await start(`proxy-${region}`, "haproxy", ["-db", "-f", join(folder, "haproxy.cfg")], folder);
  }

  beforeAll(async () => {
    const temporary = await temporaryFolder("cluster");
    root = temporary.path;
    undo.push(() => temporary.remove());
    authority = await makeAuthority(join(root, "ca"));
    own = await certificate("own", ["localhost", "127.0.0.1"]);
    await copyFile(own.key, `${own.certificate}.key`);
    if (owner !== undefined) await chown(`${own.certificate}.key`, owner.uid, owner.gid);
    const ports = await freePorts(6 + 6 + 12);
    const next = (): number => ports.pop() ?? 0;
    etcds = ["etcd-a", "etcd-b", "etcd-c"].map((name) => ({ name, address: "localhost", peerPort: next(), clientPort: next() }));
    const placed = (name: string, region = "", role: Placed["role"] = "primary-region"): Placed => ({ name, region, role, folder: join(root, name), host: "localhost", postgresPort: next(), restPort: next(), pgbackrestPort: next() });
    near = placed("near", primaryRegion, "primary-region");
    far = placed("far", secondaryRegion, "secondary-region");
    const proxy = (): HaproxyPorts => ({ writer: next(), reader: next(), local: next(), pgbackrest: next(), health: next(), metrics: next() });
    proxies = { near: proxy(), far: proxy() };
    await Promise.all(etcds.map(startEtcd));
    await startPatroni(far); // the secondary region's stack comes up first
    await startProxy(near.region, proxies.near);
    await startProxy(far.region, proxies.far);
  });
  afterAll(async () => {
    for (const step of undo.toReversed()) await step();
  });

  const said = (port: number, path: string, tls: object = {}, method = "GET"): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      readFile(own.caFile).then((ca) => {
        request({ host: "localhost", port, path, method, ca, agent: false, timeout: 5_000, ...tls }, (answer) => {
          let body = "";
          answer.on("data", (data: Buffer) => (body += data.toString())).on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
        }).on("error", reject).end();
      }, reject);
    });
  /** Over the proxy, encrypted, the server's certificate checked. */
  async function ask(port: number, sql: string): Promise<string> {
    const client = await connectTo({ host: "localhost", port, user: "postgres", password: passwords.superuser, authority: await readFile(own.caFile, "utf8") });
    try {
      return await queryValue(client, sql);
    } finally {
      await client.end();
    }
  }
  const quietly = <T>(work: Promise<T>): Promise<T | undefined> => work.catch(() => undefined);
  const leads = (member: Placed) => async () => (await quietly(said(member.restPort, "/primary")))?.status === 200;

  it("is not founded by the secondary region, though that one is there first", async () => {
    await waitFor("Patroni of the secondary region to wait", async () => (await readFile(join(far.folder, "far.log"), "utf8")).includes("waiting for leader to bootstrap"), { within: 60, every: 0.2 });
    expect(await said(far.restPort, "/primary").then(({ status }) => status)).toBe(503);
  });

  it("is founded by the primary region, and replicated to the other by certificate and password", async () => {
    await startPatroni(near);
    await waitFor("the leader", leads(near), { within: 90, every: 0.3 });
    await waitFor("the replica to stream", async () => (await quietly(ask(near.postgresPort, "select count(*)::text from pg_stat_replication join pg_stat_ssl using (pid) where state = 'streaming' and ssl and usename = 'blackroad_replication'"))) === "1", { within: 90, every: 0.5 });
  });

  it("serves writers through both regions' proxies, and says in which it can be written", async () => {
    for (const ports of [proxies.near, proxies.far]) {
      await waitFor("the proxy to find the leader", async () => (await quietly(ask(ports.writer, "show port"))) === String(near.postgresPort), { within: 20, every: 0.3 });
    }
    await waitFor("the primary region to be writable", async () => (await said(proxies.near.health, healthPath)).status === 200, { within: 20, every: 0.3 });
    await waitFor("the secondary region not to be", async () => (await said(proxies.far.health, healthPath)).status === 503, { within: 20, every: 0.3 });
    await waitFor("the secondary region's own door to lead to its replica", async () => (await quietly(ask(proxies.far.local, "select pg_is_in_recovery()::text"))) === "true", { within: 20, every: 0.3 });
    await waitFor("readers to be sent to the replica", async () => (await quietly(ask(proxies.near.reader, "show port"))) === String(far.postgresPort), { within: 20, every: 0.3 });
  });

  it("takes no unencrypted connection, and no change by REST without a certificate", async () => {
    await expect(connectTo({ host: "localhost", port: near.postgresPort, user: "postgres", password: passwords.superuser })).rejects.toThrow(/no encryption/);
    const header = { headers: { authorization: `Basic ${Buffer.from(`patroni:${passwords.rest}`).toString("base64")}` } };
    expect((await said(near.restPort, "/reload", header, "POST")).status).toBe(403);
    const client = { cert: await readFile(own.certificate), key: await readFile(own.key) };
    expect((await said(near.restPort, "/reload", client, "POST")).status).toBe(401);
    expect((await said(near.restPort, "/reload", { ...client, ...header }, "POST")).status).toBe(202);
  });

  it("lets nobody speak to etcd without a certificate", async () => {
    const [first] = etcds;
    await expect(said(first?.clientPort ?? 0, "/health")).rejects.toThrow(/certificate|alert|ECONNRESET|socket hang up/);
  });

  it("promotes the secondary region by itself when the primary one dies, and the health check follows", async () => {
    const [pid = ""] = (await readFile(join(near.folder, "data", "postmaster.pid"), "utf8")).split("\n");
    await servers.get("near")?.kill();
    process.kill(Number(pid), "SIGKILL");
    await waitFor("the secondary region to be writable", async () => (await quietly(said(proxies.far.health, healthPath)))?.status === 200, { within: 90, every: 0.5 });
    expect(await ask(proxies.far.writer, "select pg_is_in_recovery()::text")).toBe("false");
    expect((await said(proxies.near.health, healthPath)).status).toBe(503);
  });
});
