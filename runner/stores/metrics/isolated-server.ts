import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DrError } from "../../errors.ts";
import { writeDurably } from "../../system/files.ts";
import { openHttpServer, type HttpServer } from "../../system/http.ts";
import { freePort } from "../../system/ports.ts";
import { startServer } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { waitFor } from "../../system/wait.ts";
import type { StoredBlock } from "./details.ts";

/** Seconds to open every block; Prometheus maps their indices and reads nothing else. */
const startDeadline = 120;
/** So that nothing restored is expired or compacted while it is looked at. */
const keepEverything = "100y";

const names = z.object({ status: z.literal("success"), data: z.array(z.string()) });
const vector = z.object({ status: z.literal("success"), data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }) });

/** A Prometheus over restored blocks, which scrapes nothing and that nobody else knows. */
export interface IsolatedPrometheus {
  /** How many blocks it opened: one that is damaged is left out, with a line in its log. */
  blocksLoaded(): Promise<number>;
  /** A metric that the block holds, and how many of its series have samples there. */
  query(block: StoredBlock): Promise<{ readonly metric: string; readonly series: number } | undefined>;
  stop(): Promise<void>;
}

/** Starts it on `dir`; its files go to `dir` too. */
export async function startPrometheus(dir: string, signal: AbortSignal): Promise<IsolatedPrometheus> {
  const program = await findProgram("prometheus");
  const configFile = join(dir, ".prometheus.json"); // JSON is YAML
  await writeDurably(configFile, JSON.stringify({ global: {} }));
  const port = await freePort();
  const args = [`--config.file=${configFile}`, `--storage.tsdb.path=${dir}`, `--storage.tsdb.retention.time=${keepEverything}`, `--web.listen-address=127.0.0.1:${port}`, "--log.level=warn"];
  const logFile = join(dir, ".prometheus.log");
  const process = await startServer("a temporary Prometheus", program, args, { logFile, cwd: dir, signal });
  const http = await openHttpServer({ name: "the temporary Prometheus", url: `http://127.0.0.1:${port}` });
  const stop = async (): Promise<void> => {
    await http.close();
    await process.kill(); // it is thrown away: nothing of it is worth writing down
  };
  try {
    await waitFor("the temporary Prometheus", async () => (await http.text({ path: "/-/ready", deadline: 5, signal })).status === 200, { within: startDeadline, every: 0.05, signal, fatal: () => !process.running() });
  } catch (cause) {
    await stop();
    signal.throwIfAborted();
    const said = (await readFile(logFile, "utf8")).trim().split("\n").slice(-3).join(" ");
    throw new DrError({ kind: "failed", what: `a Prometheus does not start on the restored blocks${said === "" ? "" : `: ${said}`}`, where: program, todo: "Read its message; restore into a directory and start it by hand to see more.", cause });
  }
  return { blocksLoaded: () => blocksLoaded(http, signal), query: (block) => query(http, block, signal), stop };
}

async function blocksLoaded(http: HttpServer, signal: AbortSignal): Promise<number> {
  const { text } = await http.text({ path: "/metrics", signal });
  const found = /^prometheus_tsdb_blocks_loaded (\d+)$/m.exec(text)?.[1];
  if (found === undefined) throw new DrError({ kind: "failed", what: "Prometheus does not say how many blocks it opened", where: "prometheus_tsdb_blocks_loaded", todo: "See whether this version still has the metric." });
  return Number(found);
}

/** The samples are read, not the index alone: Prometheus checks each chunk's checksum as it does. */
async function query(http: HttpServer, { minTime, maxTime }: StoredBlock, signal: AbortSignal): Promise<{ readonly metric: string; readonly series: number } | undefined> {
  const seconds = (time: number): string => (time / 1_000).toFixed(3);
  const between = new URLSearchParams({ start: seconds(minTime), end: seconds(maxTime - 1) });
  const { data } = await http.json(names, { path: `/api/v1/label/__name__/values?${between.toString()}`, signal });
  const metric = data.find((name) => name === "up") ?? data[0];
  if (metric === undefined) return undefined;
  const range = Math.max(1, Math.ceil((maxTime - minTime) / 1_000));
  const asked = new URLSearchParams({ query: `count(last_over_time({__name__=${JSON.stringify(metric)}}[${range}s]))`, time: seconds(maxTime - 1) });
  const { data: { result } } = await http.json(vector, { path: `/api/v1/query?${asked.toString()}`, deadline: 120, signal });
  return { metric, series: Number(result[0]?.value[1] ?? 0) };
}
