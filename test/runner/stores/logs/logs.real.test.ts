import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { S3Server } from "../../../../drill/environments/servers/s3.ts";
import { blackroad } from "../../../../plan/blackroad.ts";
import { logShipper, shipperEnvironment } from "../../../../plan/config/log-shipper.ts";
import { seconds } from "../../../../plan/units.ts";
import { DrError } from "../../../../runner/errors.ts";
import type { StorageBackend } from "../../../../runner/storage/backend.ts";
import { recordShippedLogs } from "../../../../runner/stores/logs/back-up.ts";
import { recoverLogs } from "../../../../runner/stores/logs/recover.ts";
import { partitionOf } from "../../../../runner/stores/logs/shipped.ts";
import { verifyLogs } from "../../../../runner/stores/logs/verify.ts";
import { startServer, type Server } from "../../../../runner/system/process.ts";
import { lookUpProgram } from "../../../../runner/system/programs.ts";
import { waitFor } from "../../../../runner/system/wait.ts";
import { testContext } from "../../../harness/context.ts";
import { s3Installed } from "../../../harness/s3.ts";
import { s3Config, Stores } from "../../../harness/stores.ts";

const collector = await lookUpProgram("otelcol-dr");
let stores: Stores;
let servers: readonly S3Server[];

beforeAll(async () => {
  stores = await Stores.open();
  servers = await Promise.all([stores.s3("r2"), stores.s3("s3")]);
});
afterAll(() => stores.close());

async function run(name: string) {
  let later = 0;
  const context = await testContext({
    folder: join(stores.folder, name),
    config: { backends: servers.map((server) => s3Config(server, { prefix: name })) },
    clock: { now: () => new Date(Date.now() + later) },
  });
  /** `after` so many ms. */
  const look = async (after = 0) => {
    later += after;
    return recordShippedLogs(context);
  };
  return { context, look };
}

const objectsIn = async (backend: StorageBackend): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of backend.list("logs/lines/")) keys.push(key);
  return keys;
};
const fails = async (work: () => Promise<unknown>): Promise<DrError> => {
  const error = await work().then(() => undefined, (cause: unknown) => cause);
  if (error instanceof DrError) return error;
  throw new TypeError(`a DrError was expected: ${String(error)}`);
};

/** A node's collector with the shipped configuration, sooner than usual. */
async function startShipper(server: S3Server, folder: string, include: string, format: "containers" | "lines", prefix: string): Promise<Server> {
  await mkdir(folder, { recursive: true });
  const { endpoint, region, bucket, caFile, writerCredentialsFile } = server;
  const config = join(folder, "shipper.yaml");
  await writeFile(config, logShipper({ plan: blackroad, node: "node-1", include: [include], format, stateFolder: join(folder, "state"), store: { endpoint, region, bucket, prefix }, flushAfter: seconds(1) }));
  return startServer("log shipper", collector ?? "", ["--config", config], { logFile: join(folder, "log"), env: { ...shipperEnvironment({ credentialsFile: writerCredentialsFile, caFile }) } });
}

const line = (text: string, time: Date) => `${time.toISOString()} stdout F ${text}\n`;

describe.skipIf(!s3Installed || collector === undefined)("logs that the shipped collector brings (needs versitygw and otelcol-dr: scripts/log-shipper)", () => {
  it("arrive in both backends, are recorded, verified and brought back; a shipper that is killed goes on where it was", async () => {
    const pods = join(stores.folder, "pods");
    const file = join(pods, "shop_web-1_0123-abcd", "app", "0.log");
    await mkdir(join(file, ".."), { recursive: true });
    const began = new Date();
    await writeFile(file, line("first — ünï", began) + line("second", began));
    const start = () => Promise.all(servers.map((server, i) => startShipper(server, join(stores.folder, `shipper-${i}`), join(pods, "*", "*", "*.log"), "containers", "real")));
    let shippers = await start();
    try {
      const { context, look } = await run("real");
      const arrived = (count: number) => waitFor(`${count} objects in each backend`, async () => (await Promise.all(context.backends.map(objectsIn))).every((keys) => keys.length >= count), { within: 60, every: 0.2 });
      await arrived(1);
      await Promise.all(shippers.map((shipper) => shipper.kill()));
      await appendFile(file, line("third, while nobody was there", new Date()));
      shippers = await start();
      await arrived(2);

      const { record, outcome } = await look();
      expect(outcome).toBe("ok");
      expect(record.copies.map((copy) => [copy.backend, copy.status])).toEqual([["r2", "ok"], ["s3", "ok"]]);
      expect(Date.parse(record.watermark.time)).toBeGreaterThanOrEqual(began.getTime());
      expect(record.details["arrived"]).toMatchObject({ r2: { lines: 3, silent: [], damaged: [] }, s3: { lines: 3 } });
      expect((await verifyLogs(context, record)).copies).toMatchObject([{ ok: true }, { ok: true }]);

      const into = join(stores.folder, "recovered");
      const recovered = await recoverLogs(context, { from: new Date(began.getTime() - 1_000), to: new Date(Date.now() + 60_000), into });
      expect(recovered).toMatchObject({ lines: 3, files: 1, from: "r2", damaged: [], rejected: [] });
      const text = await readFile(join(into, "shop", "web-1", "app.log"), "utf8");
      expect(text.split("\n").map((one) => one.slice(25))).toEqual(["first — ünï", "second", "third, while nobody was there", ""]);
      expect((await fails(() => recoverLogs(context, { from: began, to: new Date(Date.now() + 60_000), into }))).kind).toBe("refused");
      context.close();
    } finally {
      await Promise.all(shippers.map((shipper) => shipper.kill()));
    }
  });
});

describe.skipIf(!s3Installed)("what has arrived of logs (needs versitygw)", () => {
  let uuid = 0;
  const ship = async (backend: StorageBackend | undefined, lines: readonly string[], at = new Date(), body?: Buffer) => {
    const records = lines.map((text) => ({ timeUnixNano: `${at.getTime()}000000`, body: { stringValue: text }, attributes: [{ key: "log.file.path", value: { stringValue: "/var/log/../../etc/app.log" } }] }));
    const key = `${partitionOf(at)}node-1_logs_0190-${(uuid += 1)}.json.gz`;
    await backend?.put(key, body ?? gzipSync(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] })));
    return key;
  };

  it("is a failure where nothing came, in one backend or in all, and where the newest line is old", async () => {
    const { context, look } = await run("nothing");
    expect((await fails(() => look())).what).toMatch(/no backend has got logs: r2: no line of a log has ever arrived here/);
    await ship(context.backends[0], ["a"]);
    const { record, outcome } = await look();
    expect(outcome).toBe("partial");
    expect(record.copies).toMatchObject([{ status: "ok" }, { status: "failed" }]);
    expect((await fails(() => look(3_600_000))).what).toMatch(/the newest line is .* old, and lines are to arrive within/);
    expect((await context.catalog.list({ store: "logs" })).records).toHaveLength(3);
    context.close();
  });

  it("is counted once, and a node that falls silent is named", async () => {
    const { context, look } = await run("once");
    for (const backend of context.backends) await ship(backend, ["a", "b"]);
    expect((await look()).record.details["arrived"]).toMatchObject({ r2: { objects: 1, lines: 2, silent: [] } });
    expect((await look()).record.details["arrived"]).toMatchObject({ r2: { objects: 0, lines: 0, silent: ["node-1"] } });
    context.close();
  });

  it("that is damaged is named by a look, by a verification and by a recovery, which takes the other backend's", async () => {
    const { context, look } = await run("damaged");
    const [r2, s3] = context.backends;
    const key = await ship(r2, ["a"]);
    await ship(s3, ["a"]);
    const { record } = await look();
    await r2?.put(key, Buffer.from([0x1f, 0x8b, 0, 1, 2]));
    expect((await verifyLogs(context, record)).copies.map(({ ok }) => ok)).toEqual([false, true]);
    const times = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 60_000) };
    const recovered = await recoverLogs(context, { ...times, into: join(stores.folder, "from-other") });
    expect(recovered).toMatchObject({ lines: 1, from: "s3", rejected: [{ backend: "r2", error: "1 objects cannot be read" }] });
    // a name in a log leads nowhere else
    expect(await readFile(join(stores.folder, "from-other", "app.log"), "utf8")).toMatch(/ a\n$/);
    await ship(s3, [], new Date(), Buffer.from("{"));
    expect((await look()).record.copies).toMatchObject([{ backend: "r2" }, { backend: "s3", status: "failed" }]);
    expect((await fails(() => recoverLogs(context, { from: new Date(0), to: new Date(1), into: join(stores.folder, "none") }))).what).toMatch(/there are no logs of that time/);
    context.close();
  });
});
