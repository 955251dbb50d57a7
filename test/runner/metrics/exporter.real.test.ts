import { rename } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exporterJob } from "../../../plan/metrics.ts";
import { runExporter } from "../../../runner/metrics/exporter.ts";
import type { StorageBackend } from "../../../runner/storage/backend.ts";
import { writeDurably } from "../../../runner/system/files.ts";
import { startServer } from "../../../runner/system/process.ts";
import { run } from "../../../runner/system/process.ts";
import { lookUpProgram } from "../../../runner/system/programs.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import { scalePlan } from "../../../plan/scale.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { testContext, type TestContext } from "../../harness/context.ts";
import { promtool } from "../../harness/promtool.ts";
import { freePort, temporaryFolder } from "../../harness/temporary.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const folder = await temporaryFolder("exporter");
const prometheus = await lookUpProgram("prometheus");
/** A look a second. */
const plan = scalePlan(blackroad, 60);
const minuteAgo = new Date(Date.now() - 60_000).toISOString();

interface Exporter {
  readonly context: TestContext;
  readonly url: string;
  page(): Promise<string>;
  stop(): Promise<void>;
}

const running = new Set<Exporter>();

async function start(name = "run", wrap?: (backend: StorageBackend) => StorageBackend): Promise<Exporter> {
  const stopping = new AbortController();
  const context = await testContext({ folder: join(folder.path, name), plan, signal: stopping.signal, ...(wrap === undefined ? {} : { wrap }) });
  const { promise: url, resolve } = Promise.withResolvers<string>();
  const done = runExporter(context, { port: 0, onListening: resolve });
  const exporter: Exporter = {
    context,
    url: await url,
    page: async () => (await fetch(`${await url}/metrics`)).text(),
    async stop() {
      stopping.abort(new Error("the test is over"));
      await done;
      context.close();
      running.delete(exporter);
    },
  };
  running.add(exporter);
  return exporter;
}

const valueIn = (page: string, series: string): number | undefined => {
  const line = page.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};
const shows = (exporter: Exporter, series: string, wanted: (value: number | undefined) => boolean) =>
  waitFor(series, async () => wanted(valueIn(await exporter.page(), series)), { within: 30, every: 0.1 });
const success = 'blackroad_backup_success_total{type="redis-snapshot",target="r2"}';
const failure = 'blackroad_backup_failure_total{type="redis-snapshot",target="s3",error="unavailable"}';
const read = "blackroad_exporter_read_timestamp_seconds";
const targetUp = (name: string) => `blackroad_target_up{target="${name}"}`;

let exporter: Exporter;
beforeAll(async () => {
  exporter = await start();
  await exporter.context.catalog.write(record("redis", "snapshot", minuteAgo));
  await shows(exporter, success, (value) => value === 1);
});
afterAll(async () => {
  for (const one of running) await one.stop();
  await folder.remove();
});

describe("dr exporter", () => {
  it("listens on this machine alone, and answers nothing but its two pages", async () => {
    expect(exporter.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${exporter.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${exporter.url}/metrics`, { method: "HEAD" })).headers.get("content-type")).toContain("text/plain");
    expect((await fetch(`${exporter.url}/etc/passwd`)).status).toBe(404);
    expect((await fetch(`${exporter.url}/metrics`, { method: "POST" })).status).toBe(405);
  });

  it("takes up a new record, and shows the same figures after a restart", async () => {
    await exporter.context.catalog.write(record("redis", "snapshot", new Date(Date.now() - 30_000).toISOString(), { copies: [copyOk("r2"), copyFailed("s3", "refused", "unavailable")] }));
    await shows(exporter, failure, (value) => value === 1);
    const before = (await exporter.page()).split("\n").filter((line) => line.includes("_total{") || line.includes("duration_seconds"));
    await exporter.stop();
    exporter = await start();
    await shows(exporter, failure, (value) => value === 1);
    expect((await exporter.page()).split("\n").filter((line) => line.includes("_total{") || line.includes("duration_seconds"))).toEqual(before);
  });

  it("shows one target while the other is gone, and does not show what it knew of that as fresh", async () => {
    const [, s3] = exporter.context.config.backends;
    const path = s3?.kind === "folder" ? s3.path : "";
    await rename(path, `${path}.away`);
    await shows(exporter, targetUp("s3"), (value) => value === 0);
    const page = await exporter.page();
    expect(valueIn(page, targetUp("r2"))).toBe(1);
    expect(valueIn(page, success)).toBe(2);
    expect(page).not.toContain('blackroad_target_storage_available_bytes{target="s3"}');
    const readAt = valueIn(page, read);
    await waitFor("another look", () => exporter.context.reports.some(({ step }) => step.startsWith("not everything could be read")), { within: 10 });
    await exporter.context.catalog.write(record("redis", "snapshot", new Date().toISOString(), { copies: [copyOk("r2")] }));
    await shows(exporter, success, (value) => value === 3);
    expect(valueIn(await exporter.page(), read)).toBe(readAt);
    await rename(`${path}.away`, path);
    await shows(exporter, read, (value) => value !== undefined && value > (readAt ?? Infinity));
    expect(valueIn(await exporter.page(), success)).toBe(3);
  });

  it("answers at once while a backend hangs", async () => {
    const hanging = Promise.withResolvers<never>();
    const other = await start("hanging", (backend) => (backend.name === "r2" ? backend : Object.assign(Object.create(backend) as StorageBackend, { name: backend.name, kind: backend.kind, check: () => hanging.promise })));
    expect(valueIn(await other.page(), read)).toBe(0);
    expect((await fetch(`${other.url}/healthz`)).status).toBe(200);
    hanging.reject(new Error("the store did not answer in time"));
    await shows(other, targetUp("r2"), (value) => value === 1);
    await other.stop();
  });

  it("says what is wrong where it cannot listen", async () => {
    await expect(runExporter(exporter.context, { port: Number(new URL(exporter.url).port) })).rejects.toThrow(/cannot listen: .*EADDRINUSE/);
  });

  it("ends while somebody holds a connection open", async () => {
    const other = await start("open");
    const held = createConnection(Number(new URL(other.url).port), "127.0.0.1");
    await new Promise<void>((resolve) => held.once("connect", resolve));
    held.write("GET /metrics HTTP/1.1\r\n");
    const begun = performance.now();
    await other.stop();
    expect(performance.now() - begun).toBeLessThan(30_000);
    held.destroy();
  });

  it.skipIf(promtool === undefined)("keeps promtool's rules about metrics (needs promtool)", async () => {
    const file = join(folder.path, "page.txt");
    await writeDurably(file, await exporter.page());
    const { code, stdout, stderr } = await run("/bin/sh", ["-c", `exec "${promtool ?? ""}" check metrics < "$0"`, file], { deadline: 60, accept: [0, 1, 2, 3] });
    // Named by the requirements (N5): a timestamp without its unit is the one thing that it has against them.
    const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !line.startsWith("blackroad_last_backup_timestamp"));
    expect({ complaints, parsed: code === 0 || code === 3 }).toEqual({ complaints: [], parsed: true });
  });

  it.skipIf(prometheus === undefined)("is scraped by a real Prometheus (needs prometheus)", async () => {
    const port = await freePort();
    const target = new URL(exporter.url).host;
    const config = join(folder.path, "prometheus.yml");
    await writeDurably(config, JSON.stringify({ global: { scrape_interval: "1s", scrape_timeout: "1s" }, scrape_configs: [{ job_name: exporterJob, static_configs: [{ targets: [target] }] }] }));
    const server = await startServer("prometheus of a test", prometheus ?? "", [`--config.file=${config}`, `--storage.tsdb.path=${join(folder.path, "tsdb")}`, `--web.listen-address=127.0.0.1:${port}`], { cwd: folder.path, logFile: join(folder.path, "prometheus.log") });
    const ask = async (query: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`)).text();
    try {
      await waitFor("Prometheus' answer", async () => (await ask(`up{job="${exporterJob}"} == 1`)).includes('"value"'), { within: 60, every: 0.2 });
      expect(await ask(success)).toContain('"3"]');
      expect(await ask('histogram_quantile(0.5, blackroad_backup_duration_seconds_bucket{type="redis-snapshot"})')).toContain('"value"');
    } finally {
      await server.kill();
    }
  });
});
