/**
 * Snapshots that a killed run left on a server. Qdrant names snapshots itself, so a run writes down beforehand which
 * ones there are that are not its own; what appeared later, while that run could still be alive, is its leftover.
 */
import { z } from "zod";
import { outcomeOf, type BackupRecord } from "../../../catalog/record.ts";
import type { RunContext } from "../../../context.ts";
import { decryptBytes, encryptBytes } from "../../../encryption/openpgp.ts";
import { DrError, messageOf } from "../../../errors.ts";
import type { QdrantNode } from "./api.ts";

const attemptSchema = z.strictObject({
  id: z.string(),
  startedAt: z.iso.datetime({ offset: false }),
  /** Seconds after which the run is dead. */
  deadline: z.number().positive(),
  /** Snapshots of others by the node's address and the collection. */
  others: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
});
export type Attempt = z.infer<typeof attemptSchema>;

/** How far back killed runs are looked for, and by how much clocks may differ. In ms. */
const lookBack = 24 * 3_600 * 1_000;
const skew = 60 * 1_000;

export const attemptKey = (id: string): string => `vectors/${id}/attempt.pgp`;

export async function othersOn(nodes: readonly QdrantNode[], collections: readonly string[]): Promise<Attempt["others"]> {
  const others: Attempt["others"] = {};
  for (const node of nodes) {
    const names: Record<string, string[]> = {};
    for (const collection of collections) names[collection] = (await node.snapshots(collection)).map(({ name }) => name);
    others[node.url] = names;
  }
  return others;
}

/** One backend that has it is enough; where none takes it, the backup could not be stored either. */
export async function announce(context: RunContext, attempt: Attempt): Promise<void> {
  const { backends } = context;
  const message = await encryptBytes(Buffer.from(JSON.stringify(attempt)), await context.passphrase(), { filename: "attempt" });
  const results = await Promise.allSettled(backends.map((backend) => backend.put(attemptKey(attempt.id), message)));
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : []));
  if (reasons.length === backends.length) throw new DrError({ kind: "unavailable", what: `no backend takes anything: ${reasons.join("; ")}`, where: attempt.id, todo: "See why each backend fails; then back up again." });
  if (reasons.length > 0) context.report({ step: `not every backend knows of this attempt: ${reasons.join("; ")}` });
}

/**
 * Attempts whose leftovers may still be there: without a record, failed, or said to have left something. Those that may
 * still run are told apart.
 */
export async function openAttempts(context: RunContext, own: string): Promise<{ readonly dead: Attempt[]; readonly alive: Attempt[] }> {
  const now = context.clock.now().getTime();
  const { records } = await context.catalog.list({ store: "vectors", since: new Date(now - lookBack) });
  const settled = new Set(records.filter(isSettled).map(({ id }) => id));
  const attempts = (await readAttempts(context, now)).filter(({ id }) => id !== own && !settled.has(id));
  const recorded = new Set(records.map(({ id }) => id));
  const isAlive = ({ id, startedAt, deadline }: Attempt) => !recorded.has(id) && Date.parse(startedAt) + deadline * 1_000 > now;
  return { dead: attempts.filter((attempt) => !isAlive(attempt)), alive: attempts.filter(isAlive) };
}

const isSettled = (record: BackupRecord): boolean => {
  const left = record.details["leftOnServer"];
  return outcomeOf(record) !== "failed" && (!Array.isArray(left) || left.length === 0);
};

async function readAttempts(context: RunContext, now: number): Promise<Attempt[]> {
  const after = `vectors/${new Date(now - lookBack).toISOString().replaceAll(/[-:.]/g, "")}`;
  const found = new Map<string, Attempt>();
  for (const backend of context.backends) {
    try {
      for await (const { key } of backend.list("vectors/", after)) {
        const id = /^vectors\/([^/]+)\/attempt\.pgp$/.exec(key)?.[1];
        if (id === undefined || found.has(id)) continue;
        const plain = await decryptBytes(await backend.read(key, context.signal), await context.passphrase());
        found.set(id, attemptSchema.parse(JSON.parse(plain.toString("utf8"))));
      }
    } catch (error) {
      context.signal.throwIfAborted();
      context.report({ step: `attempts in ${backend.name} cannot be read: ${messageOf(error)}` });
    }
  }
  return [...found.values()];
}

/** Deletes what dead attempts left; what is there since a run that may still be alive began is left to the next one. */
export async function sweepLeftovers(context: RunContext, nodes: readonly QdrantNode[], collections: readonly string[], own: string): Promise<string[]> {
  const { dead, alive } = await openAttempts(context, own);
  const spare = Math.min(...alive.map(({ startedAt }) => Date.parse(startedAt) - skew));
  const removed: string[] = [];
  if (dead.length === 0) return removed;
  for (const node of nodes) {
    for (const collection of collections) {
      for (const { name, creation_time } of await node.snapshots(collection)) {
        const made = timeOf(creation_time);
        if (made === undefined || made >= spare || !dead.some((attempt) => isOf(attempt, node.url, collection, name, made))) continue;
        await node.deleteSnapshot(collection, name);
        removed.push(name);
        context.report({ step: `deleted ${name}, which a killed run had left on ${node.url}` });
      }
    }
  }
  return removed;
}

/** Qdrant says it in UTC, and does not say so. */
export function timeOf(creationTime: string | null | undefined): number | undefined {
  if (creationTime === null || creationTime === undefined) return undefined;
  const time = Date.parse(/Z$|[+-]\d\d:\d\d$/.test(creationTime) ? creationTime : `${creationTime}Z`);
  return Number.isNaN(time) ? undefined : time;
}

function isOf({ deadline, others, startedAt }: Attempt, node: string, collection: string, name: string, made: number): boolean {
  const there = others[node]?.[collection];
  if (there === undefined || there.includes(name)) return false;
  const start = Date.parse(startedAt);
  return made >= start - skew && made <= start + deadline * 1_000 + skew;
}
