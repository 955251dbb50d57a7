import { gzipSync } from "node:zlib";
import { partitionOf } from "../../../runner/stores/logs/shipped.ts";
import { marker, type House } from "../job.ts";
import { bucketsOf, openHouse, type Site } from "./site.ts";

/** Objects that a run finds, in each backend. */
const each = 4;
const lines = 500;

/** What a node's collector ships into the buckets is written here; the collector itself is no job of the runner. */
export async function logsHouse(site: Site): Promise<House> {
  let shipped = 0;
  const body = (time: Date): Buffer => {
    const records = Array.from({ length: lines }, (_, line) => ({ timeUnixNano: `${time.getTime()}000000`, body: { stringValue: `${marker} line ${line}` } }));
    return gzipSync(JSON.stringify({ resourceLogs: [{ resource: { attributes: [] }, scopeLogs: [{ scope: {}, logRecords: records }] }] }));
  };
  return openHouse(site, {
    name: "logs", config: { backends: [...bucketsOf(site, "logs")] },
    jobs: (context) => {
      const change = async (): Promise<void> => {
        const now = new Date();
        const keys = Array.from({ length: each }, () => `${partitionOf(now)}node-1_logs_${(shipped += 1)}.json.gz`);
        await Promise.all(context.backends.flatMap((backend) => keys.map((key) => backend.put(key, body(now)))));
      };
      return [{ store: "logs", name: "logs ship", command: ["backup", "logs", "ship"], makes: { store: "logs", kind: "ship" }, change }];
    },
  });
}
