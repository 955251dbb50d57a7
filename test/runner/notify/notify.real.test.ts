import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tellPeople } from "../../../cli/tell.ts";
import type { RunnerConfig } from "../../../runner/config.ts";
import { DrError } from "../../../runner/errors.ts";
import { notificationsConfigSchema } from "../../../runner/notify/config.ts";
import { writeDurably } from "../../../runner/system/files.ts";
import { run, startServer, type Server } from "../../../runner/system/process.ts";
import { lookUpProgram } from "../../../runner/system/programs.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import { recordVerification } from "../../../runner/verification-record.ts";
import { copyVerificationOf, verificationOf } from "../../../runner/verification.ts";
import { testContext, type TestContext } from "../../harness/context.ts";
import { freePort, temporaryFolder } from "../../harness/temporary.ts";
import { startWebhook, type TestWebhook } from "../../harness/webhook.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const folder = await temporaryFolder("notify");
const alertmanager = await lookUpProgram("prometheus-alertmanager") ?? await lookUpProgram("alertmanager");
let webhook: TestWebhook;
let context: TestContext;

/** The path of the address is what nobody may know. */
const secretPath = "/hooks/T0P-S3CR3T";

beforeAll(async () => {
  webhook = await startWebhook();
  await writeDurably(join(folder.path, "address"), `${webhook.url}${secretPath}\n`, { mode: 0o600 });
  await writeDurably(join(folder.path, "authorization"), "Bearer very-secret\n", { mode: 0o600 });
});
beforeEach(async () => {
  webhook.answer = 204;
  context = await testContext({ folder: join(folder.path, `run-${webhook.calls.length}`) });
});
afterAll(async () => {
  await webhook.close();
  await folder.remove();
});

const hooked = () => notificationsConfigSchema.parse({ webhooks: [{ urlFile: join(folder.path, "address"), authorizationFile: join(folder.path, "authorization") }], labels: { region: "us-east-1" } });
const told = (exitCode: number, more: { readonly error?: unknown; readonly words?: readonly string[]; readonly startedAt?: Date; readonly notifications?: RunnerConfig["notifications"] } = {}) => {
  const { notifications = hooked(), words = ["backup", "redis", "snapshot"], startedAt = new Date(), error } = more;
  return tellPeople({ words, startedAt, exitCode, configFile: "/nowhere", error, run: { ...context, config: { ...context.config, notifications } } });
};
const lastBody = () => webhook.calls.at(-1)?.body;
const redis = (secondsAgo: number, bad: boolean) => context.catalog.write(record("redis", "snapshot", new Date(Date.now() - secondsAgo * 1_000).toISOString(), bad ? { copies: [copyOk("r2"), copyFailed("s3")] } : {}));

describe("people", () => {
  it("are told of a failure, with what to do and without a secret", async () => {
    const error = new DrError({ kind: "unavailable", what: "Redis does not answer", where: "redis:6379", todo: "Start it." });
    expect(await told(5, { error })).toEqual([]);
    expect(webhook.calls.at(-1)).toMatchObject({ method: "POST", path: secretPath, authorization: "Bearer very-secret" });
    expect(lastBody()).toMatchObject({ status: "failed", severity: "warning", type: "redis-snapshot", what: "Redis does not answer (redis:6379)", todo: "Start it.", labels: { region: "us-east-1" } });
  });

  it("are told critically of the daily full backup (S5), a part of which is not everywhere", async () => {
    expect(await told(3, { words: ["backup", "all"] })).toEqual([]);
    expect(lastBody()).toMatchObject({ status: "partial", severity: "critical", type: "postgres-full" });
  });

  it("are told once that it works again, by the first good run after a bad one", async () => {
    const calls = webhook.calls.length;
    await redis(600, false);
    await redis(300, true);
    const startedAt = new Date(Date.now() - 2_000);
    expect(await told(0, { startedAt: new Date() })).toEqual([]); // nothing was done here: the region's Redis is a replica
    expect(webhook.calls).toHaveLength(calls);
    await redis(1, false);
    expect(await told(0, { startedAt })).toEqual([]);
    expect(lastBody()).toMatchObject({ status: "recovered", type: "redis-snapshot" });
    await redis(0, false);
    expect(await told(0, { startedAt })).toEqual([]);
    expect(webhook.calls).toHaveLength(calls + 1);
  });

  it("hear it after days without a run too", async () => {
    await redis(3 * 86_400, true);
    await redis(1, false);
    await told(0, { startedAt: new Date(Date.now() - 2_000) });
    expect(lastBody()).toMatchObject({ status: "recovered" });
  });

  it("are told of a verification, critically of the daily full backup's, and once when all of a kind is good again", async () => {
    const verified = async (store: string, kind: string, at: Date, ok: boolean) => {
      const backup = record(store, kind, at.toISOString());
      const copies = ["r2", "s3"].map((backend) => copyVerificationOf(backend, [{ name: "restored", ok: true }], ok || backend === "r2" ? [] : ["the object is damaged"], 1));
      await recordVerification(context, backup, verificationOf(backup.id, store, copies), at);
    };
    const verify = (exitCode: number, startedAt: Date, error?: unknown) => told(exitCode, { words: ["verify"], startedAt, error });
    const [first, second] = [new Date(Date.now() - 86_400_000), new Date(Date.now() - 3_000)];
    const calls = webhook.calls.length;
    await verified("postgres", "full", first, false);
    await verified("redis", "snapshot", first, false);
    await verified("vectors", "snapshot", first, true);
    expect(await verify(1, first)).toEqual([]);
    expect(webhook.calls.slice(calls).map(({ body }) => body)).toMatchObject([
      { status: "failed", severity: "critical", type: "verify", backup: "postgres-full", text: expect.stringMatching(/^Verification of postgres-full failed\. .*-postgres-full-0000 is not good in s3: the object is damaged/) as string },
      { status: "failed", severity: "warning", type: "verify", backup: "redis-snapshot" },
    ]);
    await verified("postgres", "full", second, true);
    expect(await verify(0, second)).toEqual([]);
    expect(webhook.calls).toHaveLength(calls + 3); // nothing is said of what was good before, or is not good yet
    expect(lastBody()).toMatchObject({ status: "recovered", severity: "critical", backup: "postgres-full", text: expect.stringMatching(/^Verification of postgres-full is good again/) as string });
    await verified("postgres", "full", new Date(Date.now() - 1_000), true);
    expect(await verify(0, new Date(Date.now() - 2_000))).toEqual([]);
    expect(webhook.calls).toHaveLength(calls + 3);
    // It came to no end, or its writer mistook a name.
    expect(await verify(5, new Date(), new DrError({ kind: "unavailable", what: "the program redis-server is not on this machine", where: "PATH", todo: "Install it." }))).toEqual([]);
    expect(lastBody()).toMatchObject({ status: "failed", severity: "warning", type: "verify", what: expect.stringContaining("redis-server") as string });
    expect(await verify(2, new Date(), new DrError({ kind: "usage", what: "there is no backup x", where: "catalog", todo: "See `dr catalog list`." }))).toEqual([]);
    expect(webhook.calls).toHaveLength(calls + 4);
  });

  it("are not told of what is no backup, nor where the configuration names nobody", async () => {
    const calls = webhook.calls.length;
    await told(1, { words: ["recover", "redis"] });
    await tellPeople({ words: ["backup", "all"], startedAt: new Date(), exitCode: 1, configFile: "/nowhere", run: context });
    expect(await tellPeople({ words: ["backup", "all"], startedAt: new Date(), exitCode: 1, configFile: "/nowhere" })).toEqual([]);
    expect(webhook.calls).toHaveLength(calls);
  });
});

describe("a receiver that does not take it", () => {
  it.each([[500, "the webhook answered 500"], [404, "the webhook answered 404"]])("and answers %i is named, without its address", async (status, said) => {
    webhook.answer = status;
    const problems = await told(1);
    expect(problems).toMatchObject([expect.stringContaining(said)]);
    expect(problems.join("")).not.toContain("S3CR3T");
  });

  it("and hangs holds nothing up, and the others are told", async () => {
    webhook.answer = "never";
    const other = await startWebhook();
    const begun = performance.now();
    const problems = await told(1, { notifications: { ...hooked(), webhooks: [...hooked().webhooks, { url: other.url }] } });
    expect(problems).toMatchObject([expect.stringContaining("the webhook was not told")]);
    expect(performance.now() - begun).toBeLessThan(60_000);
    expect(other.calls).toHaveLength(1);
    await other.close();
  });

  it("and whose address is missing, wrong or refuses is said in words", async () => {
    await writeDurably(join(folder.path, "nonsense"), "not S3CR3T an address\n");
    const problems = await told(1, { notifications: notificationsConfigSchema.parse({ webhooks: [{ urlFile: join(folder.path, "missing") }, { urlFile: join(folder.path, "nonsense") }, { url: "http://127.0.0.1:1" }] }) });
    expect(problems).toHaveLength(3);
    expect(problems[0]).toContain("the address of the webhook cannot be read");
    expect(problems[1]).toBe("the webhook was not told: its address is no URL");
    expect(problems[2]).toMatch(/the webhook did not answer/);
  });
});

describe("the command", () => {
  it("ends as it would have ended, and has told, where the backup failed", async () => {
    const calls = webhook.calls.length;
    const config = join(folder.path, "config.json");
    const places = await Promise.all(["r2", "s3"].map(async (name) => {
      const path = join(folder.path, `cli-${name}`);
      await mkdir(path, { recursive: true });
      return { kind: "folder", name, path };
    }));
    const passphraseFile = join(folder.path, "passphrase");
    await writeDurably(passphraseFile, "a passphrase\n", { mode: 0o600 });
    await writeDurably(config, JSON.stringify({ workDirectory: join(folder.path, "work"), passphraseFile, backends: places, redis: { socket: join(folder.path, "no-redis.sock") }, notifications: { webhooks: [{ urlFile: join(folder.path, "address") }, { url: "http://127.0.0.1:1" }] } }));
    const dr = await run(process.execPath, [join(import.meta.dirname, "../../../cli/dr.ts"), "--config", config, "backup", "redis", "snapshot"], { deadline: 120, accept: [0, 1, 2, 3, 4, 5] });
    expect(dr.code).toBe(5);
    expect(dr.stderr).toContain("dr: the webhook was not told");
    expect(webhook.calls).toHaveLength(calls + 1);
    expect(lastBody()).toMatchObject({ status: "failed", command: "dr backup redis snapshot", what: expect.stringContaining("Redis") as string });
  });
});

describe.skipIf(alertmanager === undefined)("a real Alertmanager (needs prometheus-alertmanager)", () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const config = join(folder.path, "alertmanager.yml");
    await writeDurably(config, JSON.stringify({ route: { receiver: "nobody" }, receivers: [{ name: "nobody" }] }));
    server = await startServer("alertmanager of a test", alertmanager ?? "", [`--config.file=${config}`, `--storage.path=${join(folder.path, "alertmanager")}`, `--web.listen-address=127.0.0.1:${port}`, "--cluster.listen-address="], { cwd: folder.path, logFile: join(folder.path, "alertmanager.log") });
    await waitFor("Alertmanager", async () => (await fetch(`${url}/-/ready`)).ok, { within: 60 });
  });
  afterAll(() => server.kill());

  const active = async (): Promise<string> => (await fetch(`${url}/api/v2/alerts?active=true`)).text();

  it("holds the alert from the failure on, and drops it with the first good run", async () => {
    const notifications = notificationsConfigSchema.parse({ alertmanagers: [{ url }], labels: { region: "us-east-1" } });
    expect(await told(1, { notifications, words: ["backup", "redis", "snapshot"] })).toEqual([]);
    await waitFor("the alert", async () => (await active()).includes("BackupJobFailed"), { within: 20 });
    expect(await active()).toContain('"region":"us-east-1"');
    await redis(300, true);
    await redis(1, false);
    expect(await told(0, { notifications, startedAt: new Date(Date.now() - 2_000) })).toEqual([]);
    await waitFor("the end of the alert", async () => !(await active()).includes("BackupJobFailed"), { within: 20 });
  });

  it("holds an alert for each kind of backups that a verification found bad, until it is good", async () => {
    const notifications = notificationsConfigSchema.parse({ alertmanagers: [{ url }] });
    const at = new Date(Date.now() - 3_000);
    const backup = record("postgres", "full", at.toISOString());
    const verified = (startedAt: Date, ok: boolean) => recordVerification(context, backup, verificationOf(backup.id, "postgres", [copyVerificationOf("r2", [{ name: "restored", ok }], [], 1)]), startedAt);
    await verified(at, false);
    expect(await told(1, { notifications, words: ["verify"], startedAt: at })).toEqual([]);
    await waitFor("the alert", async () => /"backup":"postgres-full".*"severity":"critical"/.test(await active()), { within: 20 });
    await verified(new Date(), true);
    expect(await told(0, { notifications, words: ["verify"], startedAt: new Date(Date.now() - 1_000) })).toEqual([]);
    await waitFor("the end of the alert", async () => !(await active()).includes("postgres-full"), { within: 20 });
  });
});
