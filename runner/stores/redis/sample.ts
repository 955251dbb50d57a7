import { agentOfKey, agentStateKey } from "../../agents/schema.ts";
import { parseAgentState } from "../../agents/state.ts";
import { messageOf } from "../../errors.ts";
import type { RedisLink } from "./connection.ts";

export interface ContentSample {
  readonly summary: string;
  /** Each names its key. */
  readonly errors: readonly string[];
}

/** How many keys are looked into: a fault in one key of a hundred is seen with a certainty of 99.99 %. */
const sampledKeys = 1_000;

/** How a key of each type is read; types of modules are read by DUMP. */
const readers: Readonly<Record<string, (key: string) => string[]>> = {
  string: (key) => ["GETRANGE", key, "0", "-1"],
  list: (key) => ["LRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
  zset: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  hash: (key) => ["HGETALL", key],
  stream: (key) => ["XRANGE", key, "-", "+", "COUNT", "100"],
};

/** Reads keys at random by commands of their type, and agents' working memory as what it must be. */
export async function sampleContent(link: RedisLink): Promise<ContentSample> {
  const drawn = await Promise.all(Array.from({ length: sampledKeys }, () => link.send("RANDOMKEY")));
  const keys = [...new Set(drawn.filter((key): key is string => typeof key === "string"))];
  const types = new Map<string, number>();
  const errors: string[] = [];
  await Promise.all(
    keys.map(async (key) => {
      try {
        const type = String(await link.send("TYPE", key));
        if (type === "none") return; // its time has passed since it was drawn
        types.set(type, (types.get(type) ?? 0) + 1);
        const value = await link.send(...(readers[type]?.(key) ?? ["DUMP", key]));
        const agent = agentOfKey(key);
        if (agent !== undefined && key === agentStateKey(agent) && typeof value === "string" && value !== "") parseAgentState(value);
      } catch (error) {
        errors.push(`the key ${key} is not readable: ${messageOf(error)}`);
      }
    }),
  );
  const counted = [...types].sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, count]) => `${count} ${type}`);
  return { summary: `${keys.length} keys read${counted.length === 0 ? "" : `: ${counted.join(", ")}`}`, errors };
}
