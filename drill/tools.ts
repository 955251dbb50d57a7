import type { LocalEnvironment } from "./environments/local/environment.ts";
import { databaseName, withDatabase } from "./environments/local/database.ts";
import { lookUpProgram } from "../runner/system/programs.ts";
import { run } from "../runner/system/process.ts";

/** Programs whose version belongs to a report, with the argument that makes them say it. */
const asked: readonly (readonly [program: string, argument: string])[] = [
  ["postgres", "--version"],
  ["pgbackrest", "version"],
  ["patroni", "--version"],
  ["etcd", "--version"],
  ["redis-server", "--version"],
  ["versitygw", "--version"],
];

/** The first version number in a text. */
export const versionIn = (text: string): string | undefined => /\d+(?:\.\d+)+/.exec(text)?.[0];

/** The versions of what took part; a program that is not here is left out. */
export async function toolVersions(): Promise<Readonly<Record<string, string>>> {
  const found = await Promise.all(
    asked.map(async ([program, argument]) => {
      const path = await lookUpProgram(program);
      if (path === undefined) return [];
      const { stdout, stderr } = await run(path, [argument], { deadline: 20, accept: [0, 1] });
      const version = versionIn(stdout + stderr);
      return version === undefined ? [] : [[program, version] as const];
    }),
  );
  return { node: process.versions.node, ...Object.fromEntries(found.flat()) };
}

/** Size of the services' database on the leader, in bytes. */
export async function databaseBytes(env: LocalEnvironment): Promise<number> {
  const leader = await env.requireLeader();
  return withDatabase(leader, databaseName, async (client) => {
    const { rows } = await client.query<{ bytes: string }>("select pg_database_size(current_database())::text as bytes");
    return Number(rows[0]?.bytes ?? 0);
  });
}
