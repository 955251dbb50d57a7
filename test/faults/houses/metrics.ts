import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { RunContext } from "../../../runner/context.ts";
import { sweepSnapshots } from "../../../runner/stores/metrics/snapshot.ts";
import { makeFolder } from "../../../runner/system/files.ts";
import { startTestPrometheus, writeBlocks } from "../../harness/prometheus.ts";
import type { House } from "../job.ts";
import { openHouse, type Site } from "./site.ts";

/** Seconds: a block that was compacted long ago. */
const daysAgo = 4 * 86_400;
/** Milliseconds after which no killed run can be at work any more. */
const muchLater = 3_600_000;

export async function metricsHouse(site: Site): Promise<House> {
  const folder = await makeFolder(join(site.folder, "prometheus"));
  await writeBlocks(join(folder, "data"), "older", Math.floor(Date.now() / 1_000) - daysAgo);
  const prometheus = await startTestPrometheus(folder);
  const { dataDirectory, url } = prometheus;
  /** A killed run's snapshot lies beside what it was made from, while that run might be at work; then the next removes it. */
  const inTheEnd = async (context: RunContext): Promise<string[]> => {
    await sweepSnapshots({ ...context, clock: { now: () => new Date(Date.now() + muchLater) } }, { url, dataDirectory });
    const left = [...(await readdir(join(dataDirectory, "snapshots"))), ...(await readdir(dataDirectory)).filter((name) => name.startsWith(".dr-"))];
    return left.map((name) => `${name} stays in Prometheus' data directory`);
  };
  return openHouse(site, {
    name: "metrics", undo: [() => prometheus.kill()], config: { metrics: { url, dataDirectory } },
    // It scrapes itself: its head is another one in each run.
    jobs: (context) => [{ store: "metrics", name: "metrics snapshot", command: ["backup", "metrics", "snapshot"], makes: { store: "metrics", kind: "snapshot" }, change: () => Promise.resolve(), inTheEnd: () => inTheEnd(context) }],
  });
}
