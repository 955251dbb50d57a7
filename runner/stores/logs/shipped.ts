/** The shippers' objects in a backend: `logs/lines/YYYY/MM/DD/HH/mm/NODE_logs_UUID.json.gz`, by the minute of shipping. */
import { shippedPrefix } from "../../../plan/config/log-shipper.ts";
import type { StorageBackend } from "../../storage/backend.ts";

export interface Shipped {
  readonly key: string;
  readonly bytes: number;
  readonly node: string;
}

/** The folder of a minute. */
export const partitionOf = (time: Date): string => `${shippedPrefix}${time.toISOString().slice(0, 16).replaceAll(/[-T:]/g, "/")}/`;

/** A shipper's clock may be so much beside ours, and an upload takes its time; in ms. */
export const margin = 3_600_000;

/** What was shipped to a backend between the two times by its shippers' clocks, and a little more; in order. */
export async function* shippedTo(backend: StorageBackend, from: Date, until: Date): AsyncGenerator<Shipped, void> {
  const last = partitionOf(new Date(until.getTime() + margin));
  for await (const { key, bytes } of backend.list(shippedPrefix, partitionOf(new Date(from.getTime() - margin)))) {
    if (key > last) return;
    const node = nodeOf(key);
    if (node !== undefined) yield { key, bytes, node };
  }
}

const nodeOf = (key: string): string | undefined => /\/([^/]+)_logs_[^/_]+\.json(?:\.gz)?$/.exec(key)?.[1];
