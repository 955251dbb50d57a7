import { join } from "node:path";
import { startServer, type Server } from "../../runner/system/process.ts";
import { writeDurably } from "../../runner/system/files.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { readLedger, type Ledger } from "./ledger.ts";
import type { WriterConfig, WriterPace } from "./writer-config.ts";

/** The live workload: a process of its own, so that a busy drill does not slow it down, nor it the drill. */
export interface Workload {
  readonly pid: number;
  /** The ledger's file. */
  readonly ledgerFile: string;
  readonly seed: number;
  /** What the writer was told; `validate` needs its schedule. */
  readonly config: WriterConfig;
  running(): boolean;
  ledger(): Promise<Ledger>;
  /** Ends it after the ticks that are under way; what was acknowledged is in the ledger. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface StartOptions extends Omit<WriterConfig, "ledgerFile" | "pace"> {
  /** Outside every region: the ledger, the configuration and the log go there. */
  readonly folder: string;
  readonly pace: Partial<WriterPace>;
  readonly env: Readonly<Record<string, string>>;
}

const program = join(import.meta.dirname, "writer.ts");
/** About 25 transactions a second with 10 agents each: every one of 30,000 agents changes within two minutes. */
export const defaultPace: WriterPace = { tickMilliseconds: 40, agentsPerTick: 10, lagSampleMilliseconds: 200 };

/** Starts the writer and waits until both stores have acknowledged a heartbeat. */
export async function startWorkload({ folder, pace, env, ...given }: StartOptions): Promise<Workload> {
  const whole = { ...defaultPace, ...pace };
  const config: WriterConfig = { ...given, pace: { ...whole, agentsPerTick: Math.min(whole.agentsPerTick, given.agents) }, ledgerFile: join(folder, "ledger.jsonl") };
  const file = join(folder, "writer.json");
  await writeDurably(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  const server: Server = await startServer("workload", process.execPath, [program, file], { cwd: folder, env: { HOME: folder, ...env }, logFile: join(folder, "writer.log") });
  const workload: Workload = {
    pid: server.pid,
    ledgerFile: config.ledgerFile,
    seed: config.seed,
    config,
    running: () => server.running(),
    ledger: () => readLedger(config.ledgerFile),
    stop: () => server.stop({ within: 5 }),
    kill: () => server.kill(),
  };
  try {
    await waitFor("the workload's first acknowledged heartbeats", async () => {
      const { acknowledged } = await workload.ledger();
      return acknowledged.postgres.length > 0 && acknowledged.redis.length > 0;
    }, { within: 30 });
  } catch (error) {
    await workload.kill();
    throw error;
  }
  return workload;
}
