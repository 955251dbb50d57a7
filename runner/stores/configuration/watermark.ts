import type { Watermark } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { deadlineOf } from "../../backup-record.ts";
import { configurationOf } from "./back-up.ts";
import { schedule } from "./contents.ts";
import { gather } from "./gather.ts";

export interface ConfigurationWatermark extends Watermark {
  /** Of everything as it is now; a backup with the same has all of it. */
  readonly fingerprint: string;
}

/** What the sources hold now: they are live, so they reach to this moment. */
export async function configurationWatermark(context: RunContext): Promise<ConfigurationWatermark> {
  const time = context.clock.now().toISOString();
  const { fingerprint } = await gather(context, configurationOf(context), { deadline: deadlineOf(context.plan, schedule), signal: context.signal });
  return { time, fingerprint };
}
