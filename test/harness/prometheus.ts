import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../runner/system/files.ts";
import { openHttpServer } from "../../runner/system/http.ts";
import { run, startServer, type Server } from "../../runner/system/process.ts";
import { findProgram, lookUpProgram } from "../../runner/system/programs.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { freePort } from "./temporary.ts";

/** Whether this machine has Prometheus; tests that need it are skipped, and counted, where it has not. */
export const prometheusInstalled = (await lookUpProgram("prometheus")) !== undefined && (await lookUpProgram("promtool")) !== undefined;

export interface TestPrometheus {
  readonly server: Server;
  readonly url: string;
  readonly dataDirectory: string;
  /** The sum of a query's values at a time (seconds since the epoch); default: now. */
  sum(query: string, time?: number): Promise<number>;
  kill(): Promise<void>;
}

/** Two hours of one metric with `series` series, a sample a minute, ending at `end` (seconds since the epoch), as blocks. */
export async function writeBlocks(dataDirectory: string, name: string, end: number, series = 5): Promise<void> {
  const lines = Array.from({ length: 120 }, (_, minute) => Array.from({ length: series }, (_unused, one) => `${name}{one="${one}"} ${minute} ${end - 7_200 + minute * 60}`)).flat();
  await mkdir(dataDirectory, { recursive: true });
  const file = join(dataDirectory, "..", `${name}.om`);
  await writeFile(file, `# TYPE ${name} gauge\n${lines.sort().join("\n")}\n# EOF\n`);
  await run(await findProgram("promtool"), ["tsdb", "create-blocks-from", "openmetrics", file, dataDirectory], { deadline: 60 });
}

/** A Prometheus that scrapes itself every 200 ms, so that it has a head. */
export async function startTestPrometheus(folder: string, options: { readonly admin?: boolean; readonly dataDirectory?: string } = {}): Promise<TestPrometheus> {
  const dataDirectory = options.dataDirectory ?? (await makeFolder(join(folder, "data")));
  const port = await freePort();
  const config = join(folder, "prometheus.yml");
  await writeFile(config, JSON.stringify({ global: { scrape_interval: "200ms" }, scrape_configs: [{ job_name: "itself", static_configs: [{ targets: [`127.0.0.1:${port}`] }] }] }));
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${dataDirectory}`, "--storage.tsdb.retention.time=10y", `--web.listen-address=127.0.0.1:${port}`, "--log.level=warn", ...(options.admin === false ? [] : ["--web.enable-admin-api"])];
  const server = await startServer("a test's Prometheus", await findProgram("prometheus"), args, { cwd: folder, logFile: join(folder, "prometheus.log") });
  const url = `http://127.0.0.1:${port}`;
  const http = await openHttpServer({ name: "a test's Prometheus", url });
  const sum = async (query: string, time?: number): Promise<number> => {
    const { text } = await http.text({ path: `/api/v1/query?${new URLSearchParams({ query: `sum(${query})`, ...(time === undefined ? {} : { time: String(time) }) }).toString()}` });
    const answer = JSON.parse(text) as { data: { result: { value: [number, string] }[] } };
    return Number(answer.data.result[0]?.value[1] ?? 0);
  };
  const kill = async (): Promise<void> => {
    await http.close();
    await server.kill();
  };
  const ready = async (): Promise<boolean> => options.dataDirectory !== undefined || (await sum("up")) === 1;
  await waitFor("the test's Prometheus", async () => (await http.text({ path: "/-/ready", deadline: 5 })).status === 200 && (await ready()), { within: 60, every: 0.05, fatal: () => !server.running() }).catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  return { server, url, dataDirectory, sum, kill };
}
