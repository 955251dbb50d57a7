import { outcomeOf, type Watermark } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { kind, store } from "./source-and-target.ts";

export interface ObjectsWatermark extends Watermark {
  /** How long ago that was, in seconds: what would be lost of the source were it gone now. */
  readonly lagSeconds: number;
  readonly backup: string;
}

/** How far the copy reaches: everything that the source held when the newest complete run began to list it. */
export async function objectsWatermark(context: RunContext): Promise<ObjectsWatermark | undefined> {
  const { records } = await context.catalog.list({ store, kind });
  const newest = records.findLast((record) => outcomeOf(record) !== "failed");
  if (newest === undefined) return undefined;
  const { time } = newest.watermark;
  return { time, backup: newest.id, lagSeconds: (context.clock.now().getTime() - Date.parse(time)) / 1_000 };
}
