import { z } from "zod";
import type { RedisLink } from "../../runner/stores/redis/connection.ts";

/** Holds the JSON text of a `RedisHeartbeat`. */
export const heartbeatKey = "heartbeat";

const redisHeartbeatSchema = z.object({
  /** The heartbeat's own number. */
  tick: z.int(),
  /** The PostgreSQL heartbeat that all working memory reflects. */
  reflects: z.int(),
  /** Milliseconds since 1970. */
  at: z.number(),
});
export type RedisHeartbeat = z.infer<typeof redisHeartbeatSchema>;

/** `undefined` where none was ever written. Throws where the key holds something else. */
export async function readHeartbeat(link: RedisLink): Promise<RedisHeartbeat | undefined> {
  const text = await link.send("GET", heartbeatKey);
  return typeof text === "string" ? redisHeartbeatSchema.parse(JSON.parse(text)) : undefined;
}
