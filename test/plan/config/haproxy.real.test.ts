import { createServer as createHttps, request, type Server as HttpsServer } from "node:https";
import { connect, createServer, type Server as TcpServer, type Socket } from "node:net";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issue, makeAuthority } from "../../../drill/environments/certificates.ts";
import { freePorts } from "../../../runner/system/ports.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { haproxyCfg, healthPath, livePath, metricsPath, type HaproxyPorts, type ProxiedMember } from "../../../plan/config/haproxy.ts";
import { writeDurably } from "../../../runner/system/files.ts";
import { run, startServer, type Server } from "../../../runner/system/process.ts";
import { lookUpProgram } from "../../../runner/system/programs.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

const program = await lookUpProgram("haproxy");
const here = "us-east-1";

/** What a member's Patroni says, and behind it a PostgreSQL that says its own name. */
type State = "leader" | "promoting" | "replica" | "behind" | "down";
class Member {
  state: State = "replica";
  readonly asked: string[] = [];
  readonly proxied: ProxiedMember;
  readonly #servers: (HttpsServer | TcpServer)[];
  readonly #sockets = new Set<Socket>();

  private constructor(proxied: ProxiedMember, tls: { cert: Buffer; key: Buffer }) {
    this.proxied = proxied;
    const rest = createHttps(tls, (message, answer) => {
      this.asked.push(message.url ?? "");
      const role = this.state === "leader" ? "primary" : "replica";
      const good = this.state !== "down" && { "/primary": this.state === "leader" || this.state === "promoting", "/replica": this.state === "replica", "/health": true }[message.url?.split("?")[0] ?? ""] === true;
      answer.writeHead(good ? 200 : 503).end(JSON.stringify({ state: "running", role }));
    }).listen(proxied.restPort, "127.0.0.1");
    const speak = (text: string) => createServer((socket) => {
      this.#sockets.add(socket.on("error", () => undefined));
      socket.write(text);
    });
    this.#servers = [rest, speak(proxied.name).listen(proxied.postgresPort, "127.0.0.1"), speak(`pgbackrest ${proxied.name}`).listen(proxied.pgbackrestPort, "127.0.0.1")];
  }

  static async start(name: string, region: string, tls: { cert: Buffer; key: Buffer }): Promise<Member> {
    const [postgresPort = 0, restPort = 0, pgbackrestPort = 0] = await freePorts(3);
    return new Member({ name, region, host: "localhost", postgresPort, restPort, pgbackrestPort }, tls);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
  }
}

interface Conversation {
  readonly said: string;
  readonly ended: boolean;
  end(): void;
}
/** Connects, and says what comes; `ended` once the other side has hung up. */
function converse(port: number): Conversation {
  const state = { said: "", ended: false, end: () => socket.destroy() };
  const socket = connect(port, "127.0.0.1").on("data", (data) => (state.said += data.toString())).on("error", () => undefined).on("close", () => (state.ended = true));
  return state;
}

describe.skipIf(program === undefined)("haproxy with the generated configuration (needs haproxy)", () => {
  let ports: HaproxyPorts;
  let near: Member;
  let other: Member;
  let far: Member;
  let proxy: Server;
  let ca: Buffer;
  let clean: () => Promise<void>;
  const open: Conversation[] = [];

  beforeAll(async () => {
    const temporary = await temporaryFolder("haproxy");
    const authority = await makeAuthority(join(temporary.path, "ca"));
    const { certificate, key, caFile } = await issue(authority, { name: "member", hosts: ["localhost"] });
    const stranger = await issue(await makeAuthority(join(temporary.path, "foreign")), { name: "member", hosts: ["localhost"] });
    await copyFile(key, `${certificate}.key`);
    ca = await readFile(caFile);
    const tls = { cert: await readFile(certificate), key: await readFile(key) };
    near = await Member.start("near", here, tls);
    other = await Member.start("other", here, tls);
    far = await Member.start("far", "us-west-2", tls);
    const imposter = await Member.start("imposter", here, { cert: await readFile(stranger.certificate), key: await readFile(stranger.key) });
    imposter.state = "leader";
    const [writer = 0, reader = 0, local = 0, pgbackrest = 0, health = 0, metrics = 0] = await freePorts(6);
    ports = { writer, reader, local, pgbackrest, health, metrics };
    const members = [near, other, far, imposter].map(({ proxied }) => proxied);
    const file = join(temporary.path, "haproxy.cfg");
    await writeDurably(file, haproxyCfg({ plan: blackroad, region: here, members, ports, listenAddress: "127.0.0.1", followNames: false, caFile, certificateFile: certificate }));
    await run(program ?? "", ["-c", "-f", file], { deadline: 20 });
    const shipped = join(temporary.path, "shipped.cfg"); // with addresses, as nothing here may be looked up
    await writeDurably(shipped, haproxyCfg({ plan: blackroad, region: here, members: members.map((member) => ({ ...member, host: "127.0.0.1" })), ports, caFile, certificateFile: certificate }));
    await run(program ?? "", ["-c", "-f", shipped], { deadline: 20 });
    proxy = await startServer("haproxy", program ?? "", ["-db", "-f", file], { cwd: temporary.path, logFile: join(temporary.path, "haproxy.log") });
    clean = async () => {
      for (const conversation of open) conversation.end();
      await proxy.kill();
      for (const member of [near, other, far, imposter]) member.close();
      await temporary.remove();
    };
  });
  afterAll(() => clean());
  beforeEach(() => {
    [near.state, other.state, far.state] = ["leader", "replica", "replica"];
  });

  const https = (path: string): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      request({ host: "localhost", port: ports.health, path, ca, agent: false }, (answer) => {
        let body = "";
        answer.on("data", (data: Buffer) => (body += data.toString())).on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
      }).on("error", reject).end();
    });
  const spoken = (port: number) => {
    const conversation = converse(port);
    open.push(conversation);
    return waitFor(`an answer on ${port}`, () => Promise.resolve((conversation.said !== "" || conversation.ended) && { said: conversation.said, conversation }), { within: 30, every: 0.02 });
  };
  /** Waits until a door leads where it should: checks come every two seconds. */
  const leadsTo = (port: number, name: string) => waitFor(`${port} to lead to ${name === "" ? "nobody" : name}`, async () => (await spoken(port)).said === name, { within: 60, every: 0.2 });
  const writable = (status: number) => waitFor(`the health path to say ${status}`, async () => (await https(healthPath)).status === status, { within: 60, every: 0.2 });

  it("sends writers to the leader, readers to a near replica, jobs and pgBackRest to the leader here", async () => {
    await leadsTo(ports.writer, "near");
    await leadsTo(ports.reader, "other");
    await leadsTo(ports.local, "near");
    await leadsTo(ports.pgbackrest, "pgbackrest near");
    await writable(200);
  });

  it("follows the leader to the other region, cuts the writers off that it had, and says that it is not here", async () => {
    await leadsTo(ports.writer, "near");
    const { conversation } = await spoken(ports.writer);
    [near.state, far.state] = ["down", "leader"];
    await leadsTo(ports.writer, "far");
    await waitFor("the writer to be cut off", () => Promise.resolve(conversation.ended), { within: 30, every: 0.05 });
    await writable(503);
    expect(await https(healthPath)).toEqual({ status: 503, body: "the leader is not in us-east-1" });
    await leadsTo(ports.local, "other"); // a replica of this region: a job sees there that the leader is not
    await leadsTo(ports.pgbackrest, "");
  });

  it("does not take a member for writable that has the lock and is not promoted yet", async () => {
    await writable(200);
    near.state = "promoting";
    await writable(503);
    await leadsTo(ports.writer, "");
  });

  it("sends readers far away where no replica is left here, and to the leader where none is left at all", async () => {
    other.state = "behind";
    await leadsTo(ports.reader, "far");
    far.state = "behind";
    await leadsTo(ports.reader, "near");
  });

  it("asks for the health paths alone", () => {
    expect([...new Set([near, other, far].flatMap(({ asked }) => asked))].sort()).toEqual(["/health", "/primary", "/replica?lag=16MB"]);
  });

  it("passes nothing of Patroni's interface on, and says how it is", async () => {
    for (const path of ["/", "/patroni", "/switchover", "/primary", `${healthPath}/../primary`]) expect([path, (await https(path)).status]).toEqual([path, 404]);
    expect((await fetch(`http://127.0.0.1:${ports.metrics}${livePath}`)).status).toBe(200);
    expect(await (await fetch(`http://127.0.0.1:${ports.metrics}${metricsPath}`)).text()).toContain("haproxy_server_status");
    expect((await fetch(`http://127.0.0.1:${ports.metrics}/other`)).status).toBe(404);
  });
});
