/** Every house, and which servers it needs. */
import { lookUpProgram } from "../../../runner/system/programs.ts";
import { prometheusInstalled } from "../../harness/prometheus.ts";
import { vaultProgram } from "../../harness/vault.ts";
import type { House } from "../job.ts";
import { archiveHouse } from "./archive.ts";
import { configurationHouse } from "./configuration.ts";
import { expiryHouse } from "./expiry.ts";
import { logsHouse } from "./logs.ts";
import { metricsHouse } from "./metrics.ts";
import { objectsHouse } from "./objects.ts";
import { postgresHouse } from "./postgres.ts";
import { redisHouse } from "./redis.ts";
import type { Site } from "./site.ts";
import { vaultHouse } from "./vault.ts";
import { vectorsHouse } from "./vectors.ts";

export interface HouseEntry {
  readonly name: string;
  /** What its jobs are picked by. */
  readonly stores: readonly string[];
  /** Programs that this machine has not. */
  readonly lacks: readonly string[];
  readonly open: (site: Site) => Promise<House>;
}

const lacking = async (...programs: string[]): Promise<string[]> => {
  const found = await Promise.all(programs.map(async (name) => ((await lookUpProgram(name)) === undefined ? [name] : [])));
  return found.flat();
};

/** The one that takes longest first. */
export const houses: readonly HouseEntry[] = [
  { name: "postgres", stores: ["postgres", "agents", "all"], lacks: await lacking("postgres", "pgbackrest", "redis-server", "rclone"), open: postgresHouse },
  { name: "metrics", stores: ["metrics"], lacks: prometheusInstalled ? [] : ["prometheus"], open: metricsHouse },
  { name: "objects", stores: ["objects"], lacks: await lacking("rclone"), open: objectsHouse },
  { name: "archive", stores: ["archive"], lacks: [], open: archiveHouse },
  { name: "configuration", stores: ["configuration"], lacks: await lacking("git"), open: (site) => configurationHouse(site) },
  { name: "redis", stores: ["redis"], lacks: await lacking("redis-server", "redis-cli"), open: redisHouse },
  { name: "vault", stores: ["vault"], lacks: vaultProgram === undefined ? ["bao"] : [], open: vaultHouse },
  { name: "vectors", stores: ["vectors"], lacks: [], open: vectorsHouse },
  { name: "logs", stores: ["logs"], lacks: [], open: logsHouse },
  { name: "expiry", stores: ["expiry"], lacks: [], open: expiryHouse },
];

export const storeNames: readonly string[] = houses.flatMap(({ stores }) => stores);
