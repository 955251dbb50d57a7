import { z } from "zod";
import type { RecoveryPlace } from "../environments/local/configuration.ts";
import { together } from "../environments/local/together.ts";
import type { Stage } from "../stage.ts";
import { addressOf, checkPostgres, checkRedis } from "./check.ts";
import { detectDeath } from "./detect.ts";
import { recordStore, type Checked } from "./outcome.ts";
import type { Known, MeasuredStore } from "./prepare.ts";

export interface WarmQuestion {
  /** In the order of recovery (R1): PostgreSQL before Redis. */
  readonly stores: readonly MeasuredStore[];
  /** The store that PostgreSQL must come from, where a fault spoiled the other. */
  readonly from?: string;
  /** Recover to just before this time, with production alive; default: production is dead, recover all there is. */
  readonly before?: Date;
}

/** Seconds that the isolated place may take: a namespace, its gateways, a few files. */
export const provisionSeconds = 5;

const postgresResult = z.object({ repository: z.string(), recoveredTo: z.object({ lsn: z.string(), timeline: z.number() }) });
const redisResult = z.object({ from: z.string() });

/** Recovers from the object stores alone, by processes that have read-only keys and nothing of production. */
export async function measureWarm(stage: Stage, _known: Known, question: WarmQuestion): Promise<void> {
  const { run, env } = stage;
  if (question.before === undefined) run.detected(await run.steps.step("detect", "no server of production answers any more", () => detectDeath(stage)));
  const place = await run.steps.step("provision", "an isolated place with read-only keys", async () => {
    await env.isolation();
    return env.recoveryConfig();
  });
  await recoverInOrder(stage, place, question, question.stores);
  await proveIsolated(stage, place);
}

/** Recovers one store after the other (R1), and checks each while the next one is on its way. */
async function recoverInOrder(stage: Stage, place: RecoveryPlace, question: WarmQuestion, [store, ...others]: readonly MeasuredStore[]): Promise<void> {
  if (store === undefined) return;
  const from = await stage.run.steps.step("recover", `recover ${store} from the object stores`, () => (store === "postgres" ? recoverPostgres(stage, place, question) : recoverRedis(stage, place)));
  await together([checkRecovered(stage, place, question, store, from), recoverInOrder(stage, place, question, others)]);
}

async function checkRecovered(stage: Stage, place: RecoveryPlace, question: WarmQuestion, store: MeasuredStore, from: string): Promise<void> {
  const { run } = stage;
  const validation = await run.steps.step("validate", `check the recovered ${store} row by row`, async (): Promise<Checked["validation"]> => (store === "postgres" ? checkPostgres(stage, addressOf(place)) : checkRedis(stage, { socket: place.redisSocket, port: place.redisPort, user: "default" })));
  await recordStore(stage, { store, validation, from, validatedAt: new Date(), earlierLoss: true });
  if (store === "postgres") run.countAgents(validation.agentsExpected, validation.agentsValid);
  if (store === "postgres" && question.from !== undefined) run.show("PostgreSQL was recovered from the store that was left whole", from, from.includes(question.from));
}

async function inside(stage: Stage, place: RecoveryPlace, args: readonly string[]): Promise<unknown> {
  const { networkNamespace } = await stage.env.isolation();
  const { data } = await stage.drWith(place.config, args, { networkNamespace, cwd: place.folder });
  return data;
}

async function recoverPostgres(stage: Stage, place: RecoveryPlace, { before }: WarmQuestion): Promise<string> {
  const where = ["--into", place.dataDirectory, "--port", String(place.postgresPort), "--socket-directory", place.socketDirectory];
  const what = before === undefined ? ["recover", "postgres", "latest"] : ["recover", "pitr", before.toISOString()];
  const { repository, recoveredTo } = postgresResult.parse(await inside(stage, place, [...what, ...where]));
  stage.run.show("PostgreSQL was recovered to", `LSN ${recoveredTo.lsn}, timeline ${recoveredTo.timeline}`, true);
  return repository;
}

async function recoverRedis(stage: Stage, place: RecoveryPlace): Promise<string> {
  return redisResult.parse(await inside(stage, place, ["recover", "redis", "latest", "--into", place.redisFolder, "--socket", place.redisSocket])).from;
}

/** Tries to reach production and to write to the backups, as the recovery could; each must be refused. */
async function proveIsolated(stage: Stage, place: RecoveryPlace): Promise<void> {
  const isolation = await stage.env.isolation();
  if (isolation.kind === "shared") stage.run.show("the recovery's network", isolation.why, true);
  const proofs = await stage.run.steps.step("validate", "try to reach production and to write to its backups", () => stage.env.proveIsolation(place));
  for (const { what, answer, refused } of proofs) stage.run.show(what, answer, refused);
}
