import { DrError } from "../../errors.ts";
import { run } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";

export interface RdbCounts {
  readonly keys: number;
  readonly expires: number;
  /** Past their time already: a server drops them as it loads. */
  readonly expired: number;
}

/** Seconds at most, plus a second for each 10 MiB. */
const deadlineFor = (bytes: number): number => 60 + bytes / (10 * 1024 ** 2);

/** Has `redis-check-rdb` read every key of an RDB and its checksum. Throws a `DrError` that quotes it otherwise. */
export async function checkRdb(path: string, bytes: number, signal: AbortSignal): Promise<RdbCounts> {
  const program = await findProgram("redis-check-rdb");
  const { code, stdout } = await run(program, [path], { deadline: deadlineFor(bytes), signal, accept: [0, 1] });
  const count = (name: string): number => Number(new RegExp(`^\\[info\\] (\\d+) ${name}$`, "m").exec(stdout)?.[1] ?? "NaN");
  const counts = { keys: count("keys read"), expires: count("expires"), expired: count("already expired") };
  // Version 7.0 ends with 0 in some cases of damage: only its last word counts.
  if (code === 0 && /RDB looks OK/.test(stdout) && !Object.values(counts).some(Number.isNaN)) return counts;
  const said = stdout.trim().split("\n").filter((line) => !line.includes("AUX FIELD")).slice(-8).join(" | ");
  throw new DrError({ kind: "failed", what: `redis-check-rdb finds the dump damaged: ${said}`, where: path, todo: "Use another copy or another backup. A dump of a newer Redis needs that version's programs." });
}
