import type { Watermark } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { connectRedis, redisOf } from "./connection.ts";
import { keysIn, serverState, watermarkOf } from "./server-state.ts";

export interface RedisWatermark extends Watermark {
  readonly role: "primary" | "replica";
  readonly keys: number;
  readonly replicationOffset: number;
}

/** How far the data of the running server reaches: its own time, and on a replica that of its primary's last word. */
export async function redisWatermark(context: RunContext): Promise<RedisWatermark> {
  const link = await connectRedis(redisOf(context), context.signal);
  try {
    const state = await serverState(link);
    return { time: watermarkOf(state).toISOString(), role: state.role, keys: keysIn(state), replicationOffset: state.replicationOffset };
  } finally {
    link.close();
  }
}
