/**
 * The live workload, as a process: `node writer.ts CONFIG.json`. It runs until SIGTERM. What it was acknowledged is
 * in the ledger; everything else it says goes to its log.
 */
import { readFile } from "node:fs/promises";
import { messageOf } from "../../runner/errors.ts";
import { sampleLag } from "./lag-sampler.ts";
import { openLedger } from "./ledger.ts";
import { PostgresLoop } from "./postgres-loop.ts";
import { RedisLoop } from "./redis-loop.ts";
import { makeCalendar } from "./schedule.ts";
import { writerConfigSchema } from "./writer-config.ts";

async function main(): Promise<void> {
  const [, , file] = process.argv;
  if (file === undefined) throw new TypeError("usage: node writer.ts CONFIG.json");
  const config = writerConfigSchema.parse(JSON.parse(await readFile(file, "utf8")));
  const ledger = await openLedger(config.ledgerFile);
  const stopping = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopping.abort());
  const calendar = makeCalendar({ seed: config.seed, agents: config.agents, perTick: config.pace.agentsPerTick });
  const say = (text: string) => void process.stdout.write(`${new Date().toISOString()} ${text}\n`);
  const postgres = new PostgresLoop({ config, calendar, ledger, say });
  const redis = new RedisLoop({ config, calendar, ledger, say, progress: () => postgres.recorded });
  await Promise.all([postgres.run(stopping.signal), redis.run(stopping.signal), sampleLag({ config, ledger, say, newest: () => postgres.acknowledged }, stopping.signal)]);
  await ledger.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`the workload ended: ${messageOf(error)}\n${error instanceof Error ? (error.stack ?? "") : ""}\n`);
  process.exitCode = 1;
});
