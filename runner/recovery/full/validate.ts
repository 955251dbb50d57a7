import { checkConsistency, memoryFaults } from "../../agents/consistency.ts";
import { hasAgents, recoveredAs } from "../../agents/recovered.ts";
import { checkVectors, vectorFaults } from "../../agents/vectors.ts";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import { vectorsWatermark } from "../../stores/vectors/watermark.ts";
import { vaultWatermark } from "../../stores/vault/watermark.ts";
import type { StoreSource } from "./sources.ts";
import type { Places } from "./targets.ts";

/**
 * Whether the recovered stores fit each other. A Redis that is ahead of PostgreSQL is an error: it knows what never
 * happened. One that is behind has forgotten the last minutes, which is told.
 * @throws DrError where services must not start
 */
export async function validate(context: RunContext, stores: readonly StoreSource[], places: Places): Promise<string> {
  const has = (store: StoreSource["store"]): boolean => stores.some((one) => one.store === store);
  const seen: string[] = [];
  const recovered = recoveredAs(context, places);
  const agents = has("postgres") && (await hasAgents(recovered));
  if (has("postgres") && has("redis")) seen.push(agents ? await agentsFit(recovered, places) : "PostgreSQL has no table of agents: there is nothing to hold Redis against");
  if (has("vault")) seen.push(await vaultIsOpen(context));
  const vectors = stores.find(({ store }) => store === "vectors");
  if (vectors !== undefined) seen.push(await vectorsAreThere(context, vectors), ...(agents ? [await vectorsFit(recovered, vectors)] : []));
  return seen.length === 0 ? "each store was checked as it was recovered; there is nothing to hold against each other" : seen.join("; ");
}

async function vaultIsOpen(context: RunContext): Promise<string> {
  const { state, time } = await vaultWatermark(context);
  if (state === "active" || state === "standby") return `Vault answers, as of ${time}`;
  throw new DrError({ kind: "failed", what: `Vault is ${state}`, where: context.config.vault?.server?.address ?? "vault", todo: "Unseal it; then start this again. No service was started." });
}

/** The step of the vectors counted and compared them; since then an empty server may have taken its place. */
async function vectorsAreThere(context: RunContext, { backup, bytes }: StoreSource): Promise<string> {
  const { points, time } = await vectorsWatermark(context);
  if (points > 0 || bytes === 0) return `${points} vectors can be read, as of ${time}`;
  throw new DrError({ kind: "failed", what: `the vector store is empty, and ${backup} is not`, where: "vectors", todo: "See whether it is the server that was recovered; then start this again. No service was started." });
}

async function agentsFit(recovered: RunContext, places: Places): Promise<string> {
  const report = await checkConsistency(recovered);
  const wrong = memoryFaults(report);
  if (wrong.length > 0) throw new DrError({ kind: "failed", what: `the recovered stores do not fit each other: ${wrong.join("; ")}`, where: places.redis.socket, todo: "Recover Redis from an older snapshot (`dr recover redis --at`), or these agents one by one (`dr recover agent`); then start this again. No service was started." });
  return `${report.agents} agents: ${report.consistent} as PostgreSQL has them, ${report.behind.length} behind it`;
}

/** Agents work without their semantic memory (D4 is not critical), so what it lacks is told and keeps nobody waiting. */
async function vectorsFit(recovered: RunContext, { reachesTo }: StoreSource): Promise<string> {
  const fit = await checkVectors(recovered, reachesTo === undefined ? recovered.clock.now() : new Date(reachesTo)).catch((error: unknown) => {
    recovered.signal.throwIfAborted();
    return messageOf(error);
  });
  if (typeof fit === "string") return `vectors could not be held against agents: ${fit}`;
  if (fit === undefined) return "vectors were not held against agents (the configuration has no `vectors.references`)";
  const faults = vectorFaults(fit);
  for (const fault of faults) recovered.report({ step: `NOTE: ${fault}` });
  return `${fit.vectors} sampled vectors and ${fit.rows} rows: ${fit.ok ? "all fit" : `NOT ALL FIT: ${faults.join("; ")}`}${fit.late === 0 ? "" : `, ${fit.late} rows are younger than the vectors' backup and lack theirs`}`;
}
