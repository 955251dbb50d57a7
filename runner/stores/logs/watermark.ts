import { outcomeOf, type Watermark } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { kind, store } from "./back-up.ts";

/** Of the newest line that has arrived in any backend, as the newest look found it. */
export async function logsWatermark(context: RunContext): Promise<(Watermark & { readonly backup: string }) | undefined> {
  const { records } = await context.catalog.list({ store, kind });
  const newest = records.findLast((record) => outcomeOf(record) !== "failed");
  return newest === undefined ? undefined : { ...newest.watermark, backup: newest.id };
}
