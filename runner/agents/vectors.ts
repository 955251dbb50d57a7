/** Whether agents' rows and the vectors name each other rightly: a sample of both, as the configuration says how. */
import type { Client } from "pg";
import type { RunContext } from "../context.ts";
import { openPostgres } from "../stores/postgres/connection.ts";
import type { VectorReferences } from "../stores/vectors/config.ts";
import { openProvider, type SampledVector, type VectorProvider } from "../stores/vectors/provider.ts";

export interface VectorFit {
  /** No vector is a stranger's, and no row lacks one. */
  readonly ok: boolean;
  /** That were looked at. */
  readonly vectors: number;
  readonly rows: number;
  /** Vectors of agents that PostgreSQL does not have, e.g. `17 of memory (agent-000031)`. */
  readonly strangers: readonly string[];
  /** Vectors that a row names and that are not there, though the row is older than their backup, e.g. `17 of memory`. */
  readonly missing: readonly string[];
  /** Rows that are younger than the vectors' backup and lack theirs: no error, they are to be embedded again. */
  readonly late: number;
}

/** Rows that are looked at. */
const sampledRows = 1_000;

/**
 * Compares the configured PostgreSQL and vector store. Nothing where the configuration does not say how they name each
 * other (`vectors.references`). @param reaches of the vectors' backup
 */
export async function checkVectors(context: RunContext, reaches: Date): Promise<VectorFit | undefined> {
  const references = context.config.vectors?.references;
  if (references === undefined) return undefined;
  const provider = await openProvider(context);
  try {
    const database = await openPostgres(context);
    try {
      return await compare(provider, database, references, reaches);
    } finally {
      await database.end();
    }
  } finally {
    await provider.close();
  }
}

async function compare(provider: VectorProvider, database: Client, references: VectorReferences, reaches: Date): Promise<VectorFit> {
  const sampled = await provider.sample(references);
  const strangers = await strangersAmong(database, sampled);
  const { rows, missing, late } = await lostBy(provider, database, references.rows, reaches);
  return { ok: strangers.length === 0 && missing.length === 0, vectors: sampled.length, rows, strangers, missing, late };
}

async function strangersAmong(database: Client, sampled: readonly SampledVector[]): Promise<string[]> {
  const agents = [...new Set(sampled.flatMap(({ agent }) => agent ?? []))];
  if (agents.length === 0) return [];
  const { rows } = await database.query<{ id: string }>("select id from agents where id = any($1)", [agents]);
  const known = new Set(rows.map(({ id }) => id));
  return sampled.flatMap(({ agent, collection, id }) => (agent === undefined || known.has(agent) ? [] : [`${id} of ${collection} (${agent})`]));
}

interface Named {
  readonly id: string;
  readonly collection: string;
  readonly late: boolean;
}

async function lostBy(provider: VectorProvider, database: Client, rows: VectorReferences["rows"], reaches: Date): Promise<Pick<VectorFit, "rows" | "missing" | "late">> {
  if (rows === undefined) return { rows: 0, missing: [], late: 0 };
  const named = await namedIn(database, rows, reaches);
  const lost: Named[] = [];
  for (const [collection, some] of Map.groupBy(named, (one) => one.collection)) {
    const there = await provider.present(collection, [...new Set(some.map(({ id }) => id))]);
    lost.push(...some.filter(({ id }) => !there.has(id)));
  }
  const missing = new Set(lost.filter(({ late }) => !late).map(({ id, collection }) => `${id} of ${collection}`));
  return { rows: named.length, missing: [...missing], late: lost.filter(({ late }) => late).length };
}

/** A sample of the rows; all of them where they are few. */
async function namedIn(database: Client, { table, column, writtenAt, collection }: NonNullable<VectorReferences["rows"]>, reaches: Date): Promise<Named[]> {
  const quoted = (name: string): string => name.split(".").map((part) => database.escapeIdentifier(part)).join(".");
  const { rows: [size] } = await database.query<{ rows: number }>("select greatest(reltuples, 0)::float8 as rows from pg_class where oid = $1::regclass", [quoted(table)]);
  // Twice as many as are wanted: how many a percentage gives is chance, and some rows name none.
  const percent = Math.min(100, (200 * sampledRows) / Math.max(1, size?.rows ?? 0));
  const where = typeof collection === "string" ? database.escapeLiteral(collection) : quoted(collection.column);
  const { rows } = await database.query<Named>(
    `select ${quoted(column)}::text as id, ${where}::text as collection, ${quoted(writtenAt)} > $1 as late from ${quoted(table)} tablesample bernoulli (${percent.toFixed(6)}) where ${quoted(column)} is not null limit ${sampledRows}`,
    [reaches],
  );
  return rows;
}

/** What is wrong, a sentence each. */
export function vectorFaults({ strangers, missing }: VectorFit): string[] {
  const some = (names: readonly string[]): string => `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
  return [
    ...(strangers.length === 0 ? [] : [`${strangers.length} sampled vectors belong to agents that PostgreSQL does not have (${some(strangers)})`]),
    ...(missing.length === 0 ? [] : [`${missing.length} vectors that rows name are not there (${some(missing)})`]),
  ];
}
