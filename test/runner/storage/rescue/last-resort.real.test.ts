import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join, resolve } from "node:path";
import { DeleteObjectCommand, DeleteObjectsCommand, ListObjectsV2Command, PutBucketVersioningCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { escrowText, readRecipients, seal } from "../../../../components/access/escrow.ts";
import { issue } from "../../../../drill/environments/certificates.ts";
import { blackroad } from "../../../../plan/blackroad.ts";
import { escrowPrefix } from "../../../../plan/layout.ts";
import { exitCodes } from "../../../../runner/errors.ts";
import type { BackupRecord } from "../../../../runner/catalog/record.ts";
import type { BackendConfig, RunnerConfig, S3BackendConfig } from "../../../../runner/config.ts";
import { rescueStorage, type Rescue } from "../../../../runner/storage/rescue/rescue.ts";
import { openClients, type Clients } from "../../../../runner/storage/s3-client.ts";
import { backUpPostgres } from "../../../../runner/stores/postgres/back-up.ts";
import { planRecovery, type Recovery } from "../../../../runner/stores/postgres/recover.ts";
import { createRestorePoint } from "../../../../runner/stores/postgres/restore-point.ts";
import { backUpRedis } from "../../../../runner/stores/redis/back-up.ts";
import { connectRedis, type RedisLink } from "../../../../runner/stores/redis/connection.ts";
import { makeFolder, writeDurably } from "../../../../runner/system/files.ts";
import { killGroup, run } from "../../../../runner/system/process.ts";
import { waitFor } from "../../../../runner/system/wait.ts";
import { agentName, seedAgents } from "../../../harness/agents.ts";
import type { TestContext } from "../../../harness/context.ts";
import { startProtectedPostgres, type ProtectedPostgres } from "../../../harness/protected-postgres.ts";
import { recipient, type TestRecipient } from "../../../harness/recipients.ts";
import { startTestRedis, type TestRedis } from "../../../harness/redis.ts";
import { s3Installed } from "../../../harness/s3.ts";
import { s3Config, Stores } from "../../../harness/stores.ts";

const agents = 60;
const passphrase = "correct horse battery staple"; // testContext's
/** Backup of PostgreSQL and Redis in two stores, and then the two worst days: all of AWS is gone; a thief was there. */
describe.skipIf(!s3Installed)("what is left on the worst day (needs versitygw)", () => {
  let system: ProtectedPostgres;
  let redis: TestRedis;
  let link: RedisLink;
  let context: TestContext;
  let clean: Stores;
  let ada: TestRecipient;
  /** A backup of Redis that is whole, and a later one whose object is gone before the thief comes: its record alone tells. */
  let whole: BackupRecord;
  let broken: BackupRecord;
  const undo: (() => unknown)[] = [];

  beforeAll(async () => {
    system = await startProtectedPostgres("last-resort", { versioned: true, clean: "bucket-beside" });
    undo.push(() => system.close());
    clean = await Stores.open();
    undo.push(() => clean.close());
    await chmod(clean.folder, 0o711); // pgBackRest reads the authority as PostgreSQL's user
    redis = await startTestRedis({ folder: await makeFolder(join(system.folder, "redis")) });
    undo.push(() => redis.kill());
    link = await redis.connect();
    undo.push(() => link.close());
    await seedAgents(system.client, link, { agents });
    context = await system.other("jobs", { redis: redis.address("backup") });
    undo.push(() => context.close());
    whole = await redisBackup();
    await backUpPostgres(context, "full");
    await system.client.query("insert into heartbeat (sequence) values (77)");
    await createRestorePoint(context, "before"); // waits until the WAL is in both repositories
    ada = await recipient("ada");
    const text = escrowText(blackroad, [{ name: "runner", opens: "every backup outside pgBackRest", value: passphrase }, { name: "pgbackrest-r2", opens: "pgBackRest's repository in r2", value: "passphrase of r2" }]);
    await context.backends[0]?.put(`${escrowPrefix}0123.asc`, Buffer.from(await seal(text, await readRecipients([ada.publicKey, (await recipient("ben")).publicKey]))));
  });
  afterAll(async () => {
    for (const step of undo.toReversed()) await step();
  });

  async function redisBackup(): Promise<BackupRecord> {
    const made = await backUpRedis(context);
    if (made.done) return made.record;
    throw new Error(made.why);
  }

  const command = resolve(import.meta.dirname, "../../../../cli/dr.ts");
  let made = 0;

  /** The command as an operator runs it, with a configuration of its own. */
  async function dr(config: Partial<RunnerConfig>, args: readonly string[], code = 0): Promise<Record<string, unknown>> {
    const path = join(system.folder, `config-${(made += 1)}.json`);
    await writeDurably(path, JSON.stringify({ ...context.config, ...config }));
    const result = await run(process.execPath, [command, "--config", path, "--json", "--quiet", ...args], { deadline: 120, accept: [0, ...Object.values(exitCodes)] });
    if (result.code !== code) throw new Error(`dr ${args.join(" ")} ended with ${result.code}, not ${code}: ${result.stderr}`);
    return JSON.parse(result.stdout) as Record<string, unknown>;
  }

  /** Recovers both with nothing but that configuration, and looks at what came back. */
  async function recoverBoth(config: Partial<RunnerConfig>, place: string, snapshot = "latest"): Promise<void> {
    const [database, memory] = await Promise.all([
      dr(config, ["recover", "postgres", "latest", "--into", system.place(`${place}-postgres`)]),
      dr(config, ["recover", "redis", snapshot, "--into", system.place(`${place}-redis`)]),
    ]);
    const client = new Client({ host: String(database["socketDirectory"]), port: Number(database["port"]), user: "postgres", database: "postgres" });
    try {
      await client.connect();
      const { rows } = await client.query("select (select count(*)::int from agents) as agents, (select count(*)::int from episodic_memory) as episodes, (select max(sequence)::int from heartbeat) as heartbeat");
      expect(rows).toEqual([{ agents, episodes: 3 * agents, heartbeat: 77 }]);
      expect(memory).toMatchObject({ keys: agents });
      const recovered = await connectRedis({ socket: String(memory["socket"]), port: 0, user: "default" });
      expect(String(await recovered.send("GET", `agent:${agentName(7)}:state`))).toContain(`goal of ${agentName(7)}`);
      recovered.close();
    } finally {
      await client.end();
      killGroup(Number(memory["pid"]));
      await system.drop(database as unknown as Recovery);
    }
  }

  it("AWS gone altogether: the escrow in R2 opens what R2 holds, with one recipient's key and nothing else", async () => {
    await system.relays.s3.refuse();
    try {
      const [r2] = system.backends;
      if (r2 === undefined) throw new TypeError("the first backend is R2's");
      const keyFile = join(system.folder, "ada.asc");
      await writeDurably(keyFile, ada.privateKey, { mode: 0o600 });
      const opened = join(system.folder, "opened");
      const files = { passphraseFile: join(opened, "runner"), backends: [{ ...r2, pgbackrest: { path: "/pgbackrest", cipherPassFile: join(opened, "pgbackrest-r2") } }] }; // not there yet
      expect(JSON.stringify(await dr(files, ["secrets", "open-escrow", "--backend", "r2", "--key", keyFile, "--into", opened]))).not.toContain("passphrase of r2");
      const workDirectory = system.place("survivor");
      await mkdir(workDirectory, { mode: 0o755 });
      await recoverBoth({ ...files, workDirectory, readOnly: true }, "r2-alone");
    } finally {
      await system.relays.s3.accept();
    }
  });

  describe("stolen writer credentials", () => {
    let at: string;
    /** What there was before the thief came. */
    let before: string[];
    let source: S3BackendConfig;
    let target: S3BackendConfig;

    /** A client with the writer's credentials, as a thief would make himself one; or a reader's. */
    async function withThief<T>(config: S3BackendConfig, work: (clients: Clients) => Promise<T>): Promise<T> {
      const clients = await openClients(config, () => undefined);
      try {
        return await work(clients);
      } finally {
        clients.close();
      }
    }

    async function keysIn({ quick }: Clients, bucket: string): Promise<string[]> {
      const keys: string[] = [];
      let token: string | undefined;
      do {
        const page = await quick.send(new ListObjectsV2Command({ Bucket: bucket, ...(token === undefined ? {} : { ContinuationToken: token }) }));
        keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
        token = page.NextContinuationToken;
      } while (token !== undefined);
      return keys;
    }

    const inBatches = async <T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> => {
      for (let from = 0; from < items.length; from += 16) await Promise.all(items.slice(from, from + 16).map(work));
    };

    /** Overwrites all with noise, one key as often as that, and deletes all. */
    async function destroy(config: S3BackendConfig, often: number): Promise<void> {
      await withThief(config, async (clients) => {
        const { quick } = clients;
        const { bucket: Bucket } = config;
        const noise = (Key: string) => quick.send(new PutObjectCommand({ Bucket, Key, Body: randomBytes(64) }));
        await inBatches(await keysIn(clients, Bucket), noise);
        await inBatches(Array.from({ length: often }, () => "pgbackrest/backup/main/backup.info"), noise);
        await noise("catalog/redis/a-record-of-the-thief.json");
        const all = await keysIn(clients, Bucket);
        for (let from = 0; from < all.length; from += 1_000) await quick.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: all.slice(from, from + 1_000).map((Key) => ({ Key })) } }));
        expect(await keysIn(clients, Bucket)).toEqual([]);
      });
    }

    beforeAll(async () => {
      const { s3 } = system.stores;
      source = { ...s3Config(s3), name: "s3", credentialsFile: s3.readerCredentialsFile, pgbackrest: { path: "/pgbackrest", cipherPassFile: join(system.folder, "s3.pass") } };
      target = s3Config(await clean.s3("clean"), { name: "clean" });
      broken = await redisBackup();
      await context.backends[1]?.remove(broken.objects.map(({ key }) => key));
      await system.postgres.stop(); // nothing archives on top of the thief's noise
      const stopped = Date.now();
      await waitFor("another second", () => Date.now() - stopped > 1_000, { within: 5, every: 0.05 }); // listings have whole ones
      at = new Date().toISOString();
      before = await withThief(source, (clients) => keysIn(clients, source.bucket));
      // So often that the versions of one key go on in the next page of a listing.
      await Promise.all([destroy(s3Config(system.stores.r2), 1), destroy(s3Config(s3), 1_000)]);
    });

    const request = (to: Parameters<typeof rescueStorage>[1]["to"]) => ({ backend: "s3", at: new Date(at), to });
    const inConfig = (...backends: readonly BackendConfig[]): TestContext => ({ ...context, config: { ...context.config, backends: [...backends] } });

    it("cannot take older versions away, nor end their keeping", async () => {
      await withThief(s3Config(system.stores.s3), async ({ quick }) => {
        const Bucket = system.stores.s3.bucket;
        await expect(quick.send(new DeleteObjectCommand({ Bucket, Key: "pgbackrest/backup/main/backup.info", VersionId: "01ARYZ6S41TSV4RRFFQ69G5FAV" }))).rejects.toThrow(/Access Denied/i);
        await expect(quick.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }))).rejects.toThrow(/Access Denied/i);
      });
    });

    it("leave what was there before them: counted and timed first, copied in two runs, recovered from the copy alone", async () => {
      const backends = [source, target];
      const planned = await rescueStorage(inConfig(...backends), { ...request({ backend: "clean" }), dryRun: true });
      expect(planned).toMatchObject({ dryRun: true, found: { objects: before.length, keepsVersions: true, lost: 0 }, copied: { objects: 0 }, estimate: { sampled: 24 } });
      expect(planned.estimate?.seconds).toBeGreaterThan(0);

      const stop = new AbortController();
      const killed = rescueStorage({ ...inConfig(...backends), signal: stop.signal, report: ({ step, done = 0 }) => (step.startsWith("copy") && done > 0 ? stop.abort(new Error("killed")) : undefined) }, request({ backend: "clean" }));
      await expect(killed).rejects.toThrow("killed");

      const rescued = (await dr({ backends }, ["storage", "rescue", "--backend", "s3", "--at", at, "--to", "clean"], exitCodes.partial)) as unknown as Rescue;
      expect(rescued.copied.objects + rescued.present.objects).toBe(before.length);
      expect(rescued.present.objects).toBeGreaterThan(0);
      expect(rescued.checked.sha256).toBeGreaterThan(0);
      expect(rescued.checked.size).toBe(0);
      expect(rescued.unsaved).toMatchObject({ count: 1, some: [{ key: broken.objects[0]?.key, record: broken.id }] });
      expect((await readFile(rescued.unsaved.file ?? "", "utf8")).trim().split("\n")).toHaveLength(1);

      const copied = await withThief(target, (clients) => keysIn(clients, target.bucket));
      expect(copied.filter((key) => !key.startsWith("rescue/"))).toEqual(before);

      // The clean bucket in the place of the one that was attacked, and nothing else.
      await recoverBoth({ readOnly: true, backends: [{ ...target, name: "s3", pgbackrest: source.pgbackrest }] }, "clean", whole.id);
    });

    it("are not recovered from what is half saved: only into an empty place, and each time from the same time", async () => {
      await expect(rescueStorage(inConfig(source, target), { ...request({ backend: "clean" }), at: new Date(Date.parse(at) - 1_000) })).rejects.toThrow(/it holds a rescue of bucket-s3/);
      await expect(rescueStorage(inConfig(source, s3Config(system.stores.s3, { name: "clean" })), request({ backend: "clean" }))).rejects.toThrow(/in the bucket that is to be rescued/);
      const used = await makeFolder(join(system.folder, "used"));
      await writeDurably(join(used, "something"), "else");
      await expect(rescueStorage(inConfig(source), request({ folder: used }))).rejects.toThrow(/it is not empty: something/);
      await expect(rescueStorage(inConfig(source), { ...request({ folder: used }), at: new Date("2020-01-01") })).rejects.toThrow(/nothing that is left was in force/);
    });

    it("are undone by the store itself where one account reaches both buckets", async () => {
      const beside: S3BackendConfig = { ...source, name: "beside", bucket: "bucket-beside" };
      const rescued = await rescueStorage(inConfig(source, beside), request({ backend: "beside" }));
      expect(rescued).toMatchObject({ copied: { objects: before.length }, checked: { sha256: 0 } });
    });

    it("are undone into a folder too, whose repository pgBackRest can read", async () => {
      const path = join(system.folder, "rescued");
      const rescued = await rescueStorage(inConfig(source), request({ folder: path }));
      expect(rescued.copied.objects).toBe(before.length);
      const backends: BackendConfig[] = [{ kind: "folder", name: "s3", path, ...(source.pgbackrest === undefined ? {} : { pgbackrest: source.pgbackrest }) }];
      const copy = await system.other("copy", { backends, readOnly: true });
      const { candidates } = await planRecovery(copy, { backup: "latest", target: { kind: "latest" }, into: system.place("from-the-folder") });
      expect(candidates.length).toBeGreaterThan(0);
      const { records, problems } = await copy.catalog.list();
      expect([records.map(({ id }) => id), problems]).toEqual([expect.arrayContaining([whole.id, broken.id]), []]);
      copy.close();
    });
  });

  it("a store that lists no versions, as R2: what nobody wrote since is all that can be saved, and it says so", async () => {
    const { certificate, key, caFile } = await issue(clean.authority, { name: "no-versions", hosts: ["localhost", "127.0.0.1"] });
    const listing = '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>redis/old</Key><LastModified>2026-11-22T10:00:00.000Z</LastModified><ETag>"0"</ETag><Size>5</Size></Contents><Contents><Key>redis/new</Key><LastModified>2026-11-22T14:00:00.000Z</LastModified><ETag>"0"</ETag><Size>5</Size></Contents></ListBucketResult>';
    // R2's documentation: ListObjectVersions is not implemented, and answers so.
    const server = createServer({ cert: await readFile(certificate), key: await readFile(key) }, ({ url = "" }, response) => {
      const xml = (status: number, text: string) => response.writeHead(status, { "content-type": "application/xml" }).end(text);
      if (/[?&]versions/.test(url)) xml(501, "<Error><Code>NotImplemented</Code><Message>ListObjectVersions not implemented</Message></Error>");
      else if (url.includes("list-type=2")) xml(200, url.includes("prefix=catalog") ? listing.replace(/<Contents>.*<\/Contents>/, "") : listing);
      else response.writeHead(206, { "content-length": 5 }).end("12345");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    try {
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : 0;
      const r2: S3BackendConfig = { kind: "s3", name: "r2", endpoint: `localhost:${port}`, region: "auto", bucket: "backups", prefix: "", caFile, credentialsFile: system.stores.r2.readerCredentialsFile };
      const rescued = await rescueStorage({ ...context, config: { ...context.config, backends: [r2] } }, { backend: "r2", at: new Date("2026-11-22T12:00:00Z"), to: { folder: join(system.folder, "from-r2") }, dryRun: true });
      expect(rescued.found).toMatchObject({ objects: 1, bytes: 5, later: 1, keepsVersions: false });
    } finally {
      server.close();
    }
  });
});
