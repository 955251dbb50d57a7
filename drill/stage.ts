import { basename } from "node:path";
import { z } from "zod";
import type { Plan, ScheduleName, Tier } from "../plan/types.ts";
import type { Progress } from "../runner/context.ts";
import { messageOf } from "../runner/errors.ts";
import { runDr, type DrOptions, type DrResult } from "./dr-command.ts";
import { drillMarker } from "./environments/local/processes.ts";
import type { LocalEnvironment } from "./environments/local/environment.ts";
import { RunRecorder } from "./recorder.ts";
import { Scheduler } from "./scheduler.ts";
import type { Workload } from "./workload/start.ts";

/** How much the jobs beside production give way to its servers. */
const jobNice = 10;
/** Seconds that one job or recovery of a drill may take before it is killed. */
const jobDeadline = 600;

export interface StageOptions {
  /** Records the first run, which the environment's own making belongs to. */
  readonly first: RunRecorder;
  readonly env: LocalEnvironment;
  /** Scaled as the environment's. */
  readonly plan: Plan;
  readonly agents: number;
  readonly signal: AbortSignal;
  readonly report: (progress: Progress) => void;
}

/** What a scenario plays on: a running production, its jobs, and the recorders of what is measured. */
export class Stage {
  readonly env: LocalEnvironment;
  readonly plan: Plan;
  readonly agents: number;
  readonly signal: AbortSignal;
  readonly scheduler: Scheduler;
  readonly runs: RunRecorder[] = [];
  /** The ids of the backups that were made before the disaster, by store. */
  readonly backups = new Map<string, string>();
  #workload: Workload | undefined;
  readonly #report: (progress: Progress) => void;

  constructor(options: StageOptions) {
    this.env = options.env;
    this.plan = options.plan;
    this.agents = options.agents;
    this.signal = options.signal;
    this.#report = options.report;
    this.runs.push(options.first);
    this.scheduler = new Scheduler(options.plan, (command, schedule, signal) => this.#job(command, schedule, signal));
  }

  /** Begins the run of a further tier; what is recorded from here on is its. */
  begin(tier: Tier): RunRecorder {
    const { scenario, scope } = this.run;
    const recorder = new RunRecorder(scenario, scope, tier, this.#report);
    this.runs.push(recorder);
    return recorder;
  }

  get run(): RunRecorder {
    const current = this.runs.at(-1);
    if (current === undefined) throw new RangeError("no run has begun");
    return current;
  }

  get workload(): Workload {
    if (this.#workload === undefined) throw new RangeError("the workload was not started");
    return this.#workload;
  }

  set workload(workload: Workload) {
    this.#workload = workload;
  }

  /** Runs `dr` as a job beside production's leader, with the least credentials that the job needs. */
  async dr(args: readonly string[], options: Partial<DrOptions> = {}): Promise<DrResult> {
    const leader = await this.env.requireLeader();
    const config = await this.env.runnerConfig(leader.region);
    return this.drWith(config, args, { cwd: this.env.layout.regions[leader.region], nice: jobNice, ...options });
  }

  /** Runs `dr` with a configuration of its own, e.g. that of a recovery. */
  drWith(config: string, args: readonly string[], options: Partial<DrOptions> = {}): Promise<DrResult> {
    const name = basename(config);
    return runDr(args, {
      config,
      deadline: jobDeadline,
      signal: this.signal,
      env: { [drillMarker]: this.env.layout.id },
      onProgress: (line) => this.#report({ step: `${name}: ${line.replace(/^\[[^\]]*\]\s*/, "")}` }),
      ...options,
    });
  }

  /** What the scheduler starts. A run while nobody leads is a missed run, as in production. */
  async #job(command: readonly string[], _schedule: ScheduleName, signal: AbortSignal): Promise<number> {
    const leader = await this.env.leader();
    if (leader === undefined) return -1;
    const config = await this.env.runnerConfig(leader.region);
    const { code } = await runDr(command, { config, deadline: jobDeadline, signal, nice: jobNice, accept: [1, 3, 4, 5, 130], env: { [drillMarker]: this.env.layout.id }, cwd: this.env.layout.regions[leader.region] });
    return code;
  }

  /** Closes what a scenario left open; the environment is destroyed by whoever made it. */
  async close(): Promise<void> {
    await this.scheduler.stop();
    await this.#workload?.stop().catch((error: unknown) => this.#report({ step: `the workload did not stop: ${messageOf(error)}` }));
  }
}

/** What `--json` of a backup command prints, as far as a drill needs it. */
export const backupResultSchema = z.object({ record: z.object({ id: z.string(), sourceBytes: z.number(), watermark: z.object({ lsn: z.string().optional() }) }) });
