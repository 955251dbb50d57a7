import { join, resolve } from "node:path";
import { blackroad } from "../plan/blackroad.ts";
import { scalePlan } from "../plan/scale.ts";
import type { Plan } from "../plan/types.ts";
import { formatDuration } from "../plan/units.ts";
import type { Progress } from "../runner/context.ts";
import { DrError, messageOf } from "../runner/errors.ts";
import { LocalEnvironment } from "./environments/local/environment.ts";
import { countLeftovers, nameLeftovers, type Leftovers } from "./environments/local/leftovers.ts";
import type { DrillReport, DrillRun } from "./report/model.ts";
import { prepareReportFolder, writeReport } from "./report/write.ts";
import { drillName } from "./name.ts";
import { RunRecorder } from "./recorder.ts";
import { findScenarios } from "./scenarios/all.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { drillSource, type SourceOptions } from "./source/drill.ts";
import { Stage } from "./stage.ts";
import { drillsFolder } from "./sweep.ts";
import { databaseBytes, toolVersions } from "./tools.ts";

export interface DrillOptions {
  readonly env: string;
  readonly scenario: string;
  readonly agents: number;
  /** The plan's intervals are divided by this. */
  readonly scale: number;
  readonly seed: number;
  readonly out?: string;
}

export interface DrillOutcome {
  readonly report: DrillReport;
  /** Where `report.json` and `report.html` are. */
  readonly folder: string;
}

type Report = (progress: Progress) => void;

/** `dr drill run`: on our own production, or on somebody's repository where `--source` names one. */
export async function drillFromOptions(options: DrillOptions & Partial<SourceOptions>, signal: AbortSignal, report: Report): Promise<DrillOutcome> {
  if (options.env !== "local") throw new DrError({ kind: "usage", what: `there is no environment ${options.env} yet`, where: "--env", todo: "Use --env local." });
  const name = drillName(new Date());
  const folder = resolve(options.out ?? join("drill-reports", name));
  await prepareReportFolder(folder);
  const { source } = options;
  const result = source === undefined ? await runDrill(name, options, signal, report) : await drillSource(name, { ...options, source, query: options.query ?? [] }, signal, report);
  await writeReport(folder, result);
  if (signal.aborted) throw new DrError({ kind: "interrupted", what: `the drill was stopped; everything was torn down, leftovers: ${result.leftovers}`, where: name, todo: `Its report as far as it went is in ${folder}.` });
  return { report: result, folder };
}

interface Played {
  readonly runs: DrillRun[];
  readonly left: Leftovers;
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  readonly databaseBytes: number;
  readonly tools: Readonly<Record<string, string>>;
}

/** Plays the scenarios one after the other, each on a production of its own, and gathers the report. */
async function runDrill(name: string, options: DrillOptions, signal: AbortSignal, report: Report): Promise<DrillReport> {
  const startedAt = new Date();
  const plan = scalePlan(blackroad, options.scale);
  const played: Played[] = [];
  for (const [index, scenario] of findScenarios(options.scenario).entries()) {
    if (signal.aborted) break;
    played.push(await playScenario(scenario, index === 0 ? name : `${name}-${index}`, plan, options, signal, report));
  }
  const runs = played.flatMap((one) => one.runs);
  const leftoverNames = played.flatMap(({ left }) => nameLeftovers(left));
  const leftovers = played.reduce((sum, { left }) => sum + countLeftovers(left), 0);
  return {
    passed: runs.length > 0 && runs.every(({ passed }) => passed) && leftovers === 0,
    environment: "local",
    scale: { intervals: options.scale, agents: options.agents, databaseBytes: Math.max(0, ...played.map((one) => one.databaseBytes)), explanation: explainScale(plan, options.scale) },
    leftovers,
    leftoverNames,
    skipped: [...new Map(played.flatMap(({ skipped }) => skipped).map((one) => [one.what, one])).values()],
    runs,
    name,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    tools: Object.assign({}, ...played.map(({ tools }) => tools)) as Record<string, string>,
  };
}

function explainScale(plan: Plan, factor: number): string {
  const redis = plan.schedules.find(({ name }) => name === "redis-snapshot");
  return (
    `The shipped plan with its intervals, retentions and RPOs divided by ${factor}: archive_timeout ${formatDuration(plan.postgres.archiveTimeout)} instead of ${formatDuration(blackroad.postgres.archiveTimeout)}, ` +
    `a Redis snapshot every ${formatDuration(redis?.interval ?? 0)}. What tools fix is not scaled: Patroni's lease, Sentinel's silence, pgBackRest's timeouts, every RTO. ` +
    `The full backup and the agents' checkpoint are made once, before the disaster; nobody has to decide, and servers to restore into are there.`
  );
}

const nothingLeft: Leftovers = { processes: [], directories: [], mounts: [] };

async function playScenario(scenario: Scenario, id: string, plan: Plan, options: DrillOptions, signal: AbortSignal, report: Report): Promise<Played> {
  const { agents, seed } = options;
  const first = new RunRecorder(scenario.name, scenario.scope, scenario.tiers[0], report);
  let env: LocalEnvironment | undefined;
  let stage: Stage | undefined;
  let size = 0;
  let tools: Readonly<Record<string, string>> = {};
  let left = nothingLeft;
  try {
    const made = await first.steps.step("provision", "start production in three regions", () => LocalEnvironment.create({ id, root: join(drillsFolder(), id), agents, seed, plan, signal, report }));
    env = made;
    tools = await toolVersions();
    await first.steps.step("seed", `seed ${agents.toLocaleString("en")} agents`, () => made.seed());
    size = await databaseBytes(made);
    stage = new Stage({ first, env: made, plan, agents, signal, report });
    stage.workload = await first.steps.step("seed", "start the live workload", () => made.startWorkload());
    await scenario.play(stage);
  } catch (error) {
    // Before anything was there, it is the machine or the request that is wrong: nothing to report on.
    if (env === undefined && error instanceof DrError && !signal.aborted) throw error;
    (stage?.run ?? first).fail(error);
  }
  const last = stage?.run ?? first;
  try {
    left = await last.steps.step("destroy", "destroy everything", async () => {
      await stage?.close();
      return env === undefined ? nothingLeft : env.destroy();
    });
  } catch (error) {
    last.fail(new Error(`the teardown failed: ${messageOf(error)}`));
    left = { ...nothingLeft, directories: [join(drillsFolder(), id)] };
  }
  return { runs: (stage?.runs ?? [first]).map((recorder) => recorder.toRun()), left, skipped: env?.skipped ?? [], databaseBytes: size, tools };
}
