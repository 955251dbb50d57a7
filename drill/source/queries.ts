import type { Client } from "pg";
import { messageOf } from "../../runner/errors.ts";
import type { RunRecorder } from "../recorder.ts";

/** Milliseconds that one integrity query may take. */
const queryTimeout = 600_000;

/**
 * Runs each query in a transaction that only reads. A query that fails, gives no row, or whose first value is false
 * or null is a finding; any other value is shown as evidence.
 */
export async function askQueries(client: Client, queries: readonly string[], run: RunRecorder): Promise<void> {
  await client.query(`set statement_timeout = ${queryTimeout}; set default_transaction_read_only = on`);
  for (const sql of queries) {
    const { value, ok } = await ask(client, sql);
    run.show(sql, value, ok);
  }
  if (queries.length === 0) {
    const { value, ok } = await ask(client, "select count(*) || ' relations readable' from pg_class");
    run.show("no --query was given; the catalog itself", value, ok);
  }
}

async function ask(client: Client, sql: string): Promise<{ readonly value: string; readonly ok: boolean }> {
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    const first = rows[0]?.[0];
    return { value: rows.length === 0 ? "no row" : String(first), ok: rows.length > 0 && first !== false && first !== null };
  } catch (error) {
    return { value: messageOf(error), ok: false };
  }
}
