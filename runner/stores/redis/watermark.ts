import type { Watermark } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { chooseServer } from "./choose-server.ts";
import { keysIn, watermarkOf } from "./server-state.ts";

export interface RedisWatermark extends Watermark {
  readonly role: "primary" | "replica";
  readonly keys: number;
  readonly replicationOffset: number;
}

/** How far the data of the running primary reaches, or of a replica where it is elsewhere: its own time, and on a replica that of its primary's last word. */
export async function redisWatermark(context: RunContext): Promise<RedisWatermark> {
  const { link, state } = await chooseServer(context);
  link.close();
  return { time: watermarkOf(state).toISOString(), role: state.role, keys: keysIn(state), replicationOffset: state.replicationOffset };
}
