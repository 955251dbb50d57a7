import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { needs } from "../../../../runner/catalog/needs.ts";
import { outcomeOf } from "../../../../runner/catalog/record.ts";
import type { StorageBackend } from "../../../../runner/storage/backend.ts";
import { backUpMetrics } from "../../../../runner/stores/metrics/back-up.ts";
import { blocksOf } from "../../../../runner/stores/metrics/details.ts";
import { planMetricsRecovery, recoverMetrics } from "../../../../runner/stores/metrics/recover.ts";
import { verifyMetrics } from "../../../../runner/stores/metrics/verify.ts";
import { metricsWatermark } from "../../../../runner/stores/metrics/watermark.ts";
import { verifyOne } from "../../../../runner/verify.ts";
import { startServer } from "../../../../runner/system/process.ts";
import { waitFor } from "../../../../runner/system/wait.ts";
import { testContext, type TestContext, type TestContextOptions } from "../../../harness/context.ts";
import { prometheusInstalled, startTestPrometheus, writeBlocks, type TestPrometheus } from "../../../harness/prometheus.ts";
import { freePort, temporaryFolder } from "../../../harness/temporary.ts";

const folder = await temporaryFolder("metrics");
const contexts: TestContext[] = [];
const now = Math.floor(Date.now() / 1_000);
/** When the block ends that is there from the beginning, long before the head. */
const older = now - 4 * 86_400;
let prometheus: TestPrometheus;
let runs = 0;

beforeAll(async () => {
  if (!prometheusInstalled) return;
  await writeBlocks(join(folder.path, "data"), "older", older);
  prometheus = await startTestPrometheus(folder.path);
});
afterAll(async () => {
  if (prometheusInstalled) await prometheus.kill();
  await folder.remove();
});
afterEach(() => {
  for (const context of contexts.splice(0)) context.close();
});

const metrics = () => ({ url: prometheus.url, dataDirectory: prometheus.dataDirectory });

async function context(name = `run-${(runs += 1)}`, more: Partial<TestContextOptions> = {}): Promise<TestContext> {
  const made = await testContext({ folder: join(folder.path, name), ...more, config: { metrics: metrics(), ...more.config } });
  contexts.push(made);
  return made;
}

const snapshots = async (): Promise<string[]> => readdir(join(prometheus.dataDirectory, "snapshots")).catch(() => []);
const notes = async (): Promise<string[]> => (await readdir(prometheus.dataDirectory)).filter((name) => name.startsWith(".dr-"));
const fileOf = (backend: string, name: string, key: string): string => join(folder.path, name, backend, key);
const refusing = (name: string) => (backend: StorageBackend): StorageBackend => {
  if (backend.name !== name) return backend;
  const refuse = () => Promise.reject(new Error("connection refused"));
  return new Proxy(backend, { get: (target, property) => (["put", "head", "get"].includes(String(property)) ? refuse : bound(target, property)) });
};
function bound(target: StorageBackend, property: string | symbol): unknown {
  const value: unknown = Reflect.get(target, property, target);
  return typeof value === "function" ? value.bind(target) : value;
}
async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

describe.skipIf(!prometheusInstalled)("a snapshot of Prometheus (needs prometheus)", () => {
  it("stores each block once, the head each time, and leaves nothing on Prometheus' disk", async () => {
    const run = await context("once");
    const first = await backUpMetrics(run);
    expect(first).toMatchObject({ outcome: "ok", record: { store: "metrics", kind: "snapshot", encryption: "openpgp" } });
    const blocks = blocksOf(first.record);
    expect(blocks.filter(({ head }) => head)).toHaveLength(1);
    expect(blocks.length).toBeGreaterThan(1);
    expect(first.uploaded.blocks).toBe(blocks.length);

    const second = await backUpMetrics(run);
    expect(second.uploaded.blocks).toBe(1);
    const kept = (record: typeof first.record) => record.objects.filter(({ key }) => !key.includes(record.id));
    expect(kept(second.record)).toEqual(kept(first.record));
    expect(needs(second.record)).toEqual(needs(first.record));
    expect(needs(second.record)).toHaveLength(blocks.length - 1);
    const { records } = await run.catalog.list({ store: "metrics", kind: "block" });
    expect(records.map(({ id }) => id)).toEqual(expect.arrayContaining([...needs(second.record)]));
    expect([await snapshots(), await notes()]).toEqual([[], []]);
    expect(Date.parse(second.record.expiresAt ?? "") - Date.parse(second.record.startedAt)).toBe(90 * 86_400_000);
  });

  it("comes back as the data directory of a Prometheus that answers what the first one did", async () => {
    const run = await context("once");
    const into = join(folder.path, "restored");
    const planned = await planMetricsRecovery(run, "latest");
    const result = await recoverMetrics(run, { backup: "latest", into });
    expect(result).toMatchObject({ ...planned, rejected: [] });
    const other = await temporaryFolder("metrics-restored");
    const restored = await startTestPrometheus(other.path, { dataDirectory: into });
    try {
      for (const time of [older - 60, older - 3_600]) expect(await restored.sum("older", time)).toBe(await prometheus.sum("older", time));
      expect(await restored.sum("older", older - 60)).toBe(5 * 119);
      const at = Date.parse(result.recoveredTo) / 1_000;
      expect(await restored.sum("prometheus_build_info", at)).toBe(1);
      // Nobody restores under a server that runs, --force or not.
      await expect(recoverMetrics(run, { backup: "latest", into, force: true })).rejects.toThrow(/a process has files open in this directory \(prometheus/);
    } finally {
      await restored.kill();
      await other.remove();
    }
    await expect(recoverMetrics(run, { backup: "latest", into })).rejects.toThrow(/the directory is not empty/);
    expect((await recoverMetrics(run, { backup: "latest", into, force: true })).setAside).toMatch(/\.replaced-/);
  });

  it("is verified by a real Prometheus in each copy, and a flipped byte is named", async () => {
    const run = await context("verify");
    const { record } = await backUpMetrics(run);
    const good = await verifyOne(run, "latest", { store: "metrics" });
    expect(good.verified[0]?.copies.flatMap(({ errors }) => errors)).toEqual([]);
    expect(good.ok).toBe(true);
    const [object] = record.objects;
    if (object === undefined) throw new Error("no object");
    await flip(fileOf("s3", "verify", object.key));
    const found = await verifyMetrics(run, record);
    expect(found.copies.map(({ ok }) => ok)).toEqual([true, false]);
    expect(found.copies[1]?.errors.join()).toContain(object.key);
    // The other copy is taken, and what is wrong is told.
    const result = await recoverMetrics(run, { backup: record.id, into: join(folder.path, "after-flip") });
    expect(result.rejected).toEqual([]);
    await rm(fileOf("r2", "verify", object.key));
    await expect(recoverMetrics(run, { backup: record.id, into: join(folder.path, "after-loss") })).rejects.toThrow(/no copy of .* can be used/);
    expect(await readdir(join(folder.path, "after-loss"))).toEqual([]);
  });

  it("says that a passphrase is another one, and leaves the directory empty", async () => {
    const run = await context("passphrase");
    await backUpMetrics(run);
    const other = await context("passphrase", { passphrase: "another" });
    await expect(recoverMetrics({ ...other, passphrase: () => Promise.resolve("another") }, { backup: "latest", into: join(folder.path, "wrong") })).rejects.toThrow(/passphrase does not open/);
    expect(await readdir(join(folder.path, "wrong"))).toEqual([]);
  });

  it("goes on with one backend, and completes the other from it when that is back", async () => {
    const partial = await backUpMetrics(await context("partial", { wrap: refusing("s3") }));
    expect(partial.outcome).toBe("partial");
    expect(partial.record.copies).toMatchObject([{ status: "ok" }, { backend: "s3", status: "failed", error: expect.stringContaining("connection refused") as string }]);
    const run = await context("partial");
    const whole = await backUpMetrics(run);
    expect([whole.outcome, whole.uploaded.blocks]).toEqual(["ok", 1]);
    expect((await verifyMetrics(run, whole.record)).ok).toBe(true);
  });

  it("fails with a record where no backend takes it, and still removes the snapshot", async () => {
    const run = await context("none", { wrap: (backend) => refusing(backend.name)(backend) });
    await expect(backUpMetrics(run)).rejects.toThrow(/no backend took it/);
    expect([await snapshots(), await notes()]).toEqual([[], []]);
  });

  it("stores a block anew whose series were deleted meanwhile: its tombstones have changed", async () => {
    const run = await context("deleted");
    const first = await backUpMetrics(run);
    await fetch(`${prometheus.url}/api/v1/admin/tsdb/delete_series?match[]=older{one="0"}`, { method: "POST" });
    const second = await backUpMetrics(run);
    const changed = blocksOf(second.record).filter(({ fingerprint, head }) => !head && !blocksOf(first.record).some((block) => block.fingerprint === fingerprint));
    expect(changed.length).toBeGreaterThan(0);
    expect((await verifyMetrics(run, second.record)).ok).toBe(true);
  });

  it("knows how far the running server's data reaches", async () => {
    const { time, series } = await metricsWatermark(await context());
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
    expect(series).toBeGreaterThan(0);
  });

  it("is taken twice at once without either losing its blocks", async () => {
    const [one, other] = await Promise.all([backUpMetrics(await context("both")), backUpMetrics(await context("both"))]);
    expect([one.outcome, other.outcome]).toEqual(["ok", "ok"]);
    expect([await snapshots(), await notes()]).toEqual([[], []]);
  });

  it("killed in the middle leaves a snapshot, which the next run removes when the dead one's time is over, and nothing else", async () => {
    const run = await context("killed");
    const config = join(folder.path, "killed", "dr.json");
    await writeFile(config, JSON.stringify(run.config));
    const child = await startServer("dr", process.execPath, [join(import.meta.dirname, "../../../../cli/dr.ts"), "--config", config, "backup", "metrics", "snapshot"], { logFile: join(folder.path, "killed", "log") });
    await waitFor("the snapshot", async () => (await snapshots()).length > 0, { within: 60, every: 0.002 });
    await child.kill();
    const [left] = await snapshots();
    expect(await notes()).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 1_001 - (Date.now() % 1_000))); // its name has whole seconds
    await fetch(`${prometheus.url}/api/v1/admin/tsdb/snapshot`, { method: "POST" }); // somebody's own
    const others = (await snapshots()).filter((name) => name !== left);
    // The dead run may be at work for all that is known.
    expect((await backUpMetrics(run)).swept).toEqual([]);
    const later = { now: () => new Date(Date.now() + 3_600_000) };
    const swept = await backUpMetrics(await context("killed", { clock: later }));
    expect(swept.outcome).toBe("ok");
    expect(await notes()).toEqual([]);
    expect((await snapshots()).filter((name) => others.includes(name))).toEqual(others);
    expect(await snapshots()).not.toContain(left);
    for (const name of others) await rm(join(prometheus.dataDirectory, "snapshots", name), { recursive: true });
    const { records, problems } = await run.catalog.list({ store: "metrics" });
    expect(problems).toEqual([]);
    expect(records.filter((record) => outcomeOf(record) === "partial")).toEqual([]);
  });
});

describe.skipIf(!prometheusInstalled)("Prometheus (needs prometheus)", () => {
  it("that has the interface switched off is told how to switch it on", async () => {
    const other = await temporaryFolder("metrics-off");
    const off = await startTestPrometheus(other.path, { admin: false });
    try {
      const run = await context("off", { config: { metrics: { url: off.url, dataDirectory: off.dataDirectory } } });
      await expect(backUpMetrics(run)).rejects.toThrow(/--web.enable-admin-api/);
      const { records } = await run.catalog.list({ store: "metrics" });
      expect(records.map(outcomeOf)).toEqual(["failed"]);
    } finally {
      await off.kill();
      await other.remove();
    }
  });

  it("of another volume, refused, and answering nonsense are told apart", async () => {
    const elsewhere = await temporaryFolder("metrics-elsewhere");
    const attempt = async (changes: Partial<ReturnType<typeof metrics>>) => backUpMetrics(await context(undefined, { config: { metrics: { ...metrics(), ...changes } } }));
    await expect(attempt({ dataDirectory: elsewhere.path })).rejects.toThrow(/not in the data directory that this run sees/);
    for (const name of await snapshots()) await rm(join(prometheus.dataDirectory, "snapshots", name), { recursive: true });
    await expect(attempt({ dataDirectory: join(elsewhere.path, "missing") })).rejects.toThrow(/data directory is not here/);
    await expect(attempt({ url: `http://127.0.0.1:${await freePort()}` })).rejects.toThrow(/Prometheus did not answer/);
    for (const [status, body] of [[500, "oops"], [403, "no"], [200, "{\"status\":"]] as const) {
      const server = await answering(status, body);
      await expect(attempt({ url: `http://127.0.0.1:${portOf(server)}` })).rejects.toThrow(status === 200 ? /not what its interface promises|broke/ : new RegExp(`answered ${status}`));
      server.close();
    }
    await elsewhere.remove();
    for (const note of await notes()) await rm(join(prometheus.dataDirectory, note)); // of answers after which nobody knows
  });
});

async function answering(status: number, body: string): Promise<Server> {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  return address.port;
}
