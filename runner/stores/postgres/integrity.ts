/** Queries over every database of a restored server: its structure, and that all of its rows can be read. */
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { run } from "../../system/process.ts";
import { lookUpProgram } from "../../system/programs.ts";
import { databaseUser } from "../../system/user.ts";
import type { VerificationCheck } from "../../verification.ts";
import { connectTo, queryValue } from "./connection.ts";
import type { RecoveredPostgres } from "./restore.ts";

export interface Integrity {
  readonly checks: readonly VerificationCheck[];
  /** Each names the table or index. */
  readonly errors: readonly string[];
}

/** Seconds that checking the structure may take. */
const amcheckDeadline = 4 * 3_600;

/** Checks a server that takes writes (pg_amcheck installs its extension). */
export async function checkIntegrity(context: RunContext, server: RecoveredPostgres): Promise<Integrity> {
  const parts = [await amcheck(context, server), await readEverything(server)];
  return { checks: parts.flatMap(({ checks }) => checks), errors: parts.flatMap(({ errors }) => errors) };
}

/** Structure of tables and indexes; also finds indexes that another glibc's sort order has spoilt. */
async function amcheck(context: RunContext, server: RecoveredPostgres): Promise<Integrity> {
  const name = "structure of tables and indexes (pg_amcheck)";
  const program = await lookUpProgram("pg_amcheck", server.binDirectory);
  if (program === undefined) return { checks: [{ name, ok: true, detail: "not checked: pg_amcheck comes with PostgreSQL 14 and newer" }], errors: [] };
  const args = ["--all", "--install-missing", "--jobs=2", "--no-password", `--host=${server.socketDirectory}`, `--port=${server.port}`, "--username=postgres"];
  const { code, stdout, stderr } = await run(program, args, { deadline: amcheckDeadline, accept: [0, 1, 2], cwd: "/", user: databaseUser(context.config.databaseUser), signal: context.signal });
  if (code === 0) return { checks: [{ name, ok: true, detail: "nothing wrong" }], errors: [] };
  const lines = `${stdout}\n${stderr}`.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  // Without the extension's files (postgresql-contrib) nothing was checked, which is no damage.
  if (code === 1 && lines.some((line) => /extension "amcheck" is not available/.test(line))) return { checks: [{ name, ok: true, detail: "not checked: the extension amcheck is not installed" }], errors: [] };
  return { checks: [{ name, ok: false, detail: lines.slice(0, 5).join("; ") }], errors: lines.slice(0, 20) };
}

/** Reads each row of each table as a whole, also what is stored out of line. */
async function readEverything(server: RecoveredPostgres): Promise<Integrity> {
  const errors: string[] = [];
  let tables = 0;
  let rows = 0n;
  for (const database of await databases(server)) {
    const client = await connectTo({ host: server.socketDirectory, port: server.port, database });
    try {
      const listed = await client.query<{ name: string }>("SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND n.nspname NOT LIKE 'pg_temp%' AND c.relpersistence = 'p' ORDER BY 1");
      for (const { name } of listed.rows) {
        tables += 1;
        try {
          // The text of a row holds the whole of it; its length makes the server fetch it all.
          rows += BigInt(await queryValue(client, `SELECT count(length(t::text))::text FROM ${name} t`));
        } catch (error) {
          errors.push(`${database}.${name}: ${messageOf(error)}`);
        }
      }
    } finally {
      await client.end();
    }
  }
  return { checks: [{ name: "every row read", ok: errors.length === 0, detail: `${rows} rows in ${tables} tables` }], errors };
}

async function databases(server: RecoveredPostgres): Promise<string[]> {
  const client = await connectTo({ host: server.socketDirectory, port: server.port });
  try {
    const { rows } = await client.query<{ datname: string }>("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1");
    return rows.map(({ datname }) => datname);
  } finally {
    await client.end();
  }
}
