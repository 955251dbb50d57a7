import { join } from "node:path";
import { makeFolder } from "../../../runner/system/files.ts";
import { startTestRedis } from "../../harness/redis.ts";
import { marker, type House } from "../job.ts";
import { openHouse, type Site } from "./site.ts";

/** Keys that a snapshot has: a MiB or two. */
const keys = 10_000;

export async function redisHouse(site: Site): Promise<House> {
  const redis = await startTestRedis({ folder: await makeFolder(join(site.folder, "redis")) });
  const link = await redis.connect();
  const undo = [() => redis.kill(), () => link.close()];
  const pairs = Array.from({ length: keys }, (_, key) => [`key:${key}`, `${marker} ${String(key).repeat(20)}`]);
  await link.send("MSET", ...pairs.flat());
  const change = async (): Promise<void> => {
    await link.send("INCR", "runs");
  };
  return openHouse(site, {
    name: "redis", undo, config: { redis: redis.address("backup") },
    jobs: () => [{ store: "redis", name: "redis snapshot", command: ["backup", "redis", "snapshot"], makes: { store: "redis", kind: "snapshot" }, change }],
  });
}
