import { isAbsolute, join } from "node:path";
import { createHash } from "node:crypto";
import { removeTree } from "../../system/files.ts";
import { DrError } from "../../errors.ts";
import { run, type RunResult } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import type { RepositoryConfig } from "./config.ts";

export interface GitRun {
  /** Seconds for one command. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

/** Refs by name, with the objects that they point to. */
export type Refs = ReadonlyMap<string, string>;

/** Nothing is asked on a terminal, and no file of the account is read. */
const environment = { GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" } as const;

function settingsOf({ credentialsFile, caFile, sshKeyFile, knownHostsFile }: RepositoryConfig): readonly string[] {
  return [
    // Of another owner than ours, as a mounted folder is: only read.
    ["-c", "safe.directory=*"],
    credentialsFile === undefined ? [] : ["-c", `credential.helper=store --file=${shellQuoted(credentialsFile)}`],
    caFile === undefined ? [] : ["-c", `http.sslCAInfo=${caFile}`],
    sshKeyFile === undefined ? [] : ["-c", `core.sshCommand=ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -i ${shellQuoted(sshKeyFile)}${knownHostsFile === undefined ? "" : ` -o UserKnownHostsFile=${shellQuoted(knownHostsFile)}`}`],
  ].flat();
}

const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Runs git. `accept`: exit codes that are an answer. */
export async function git(args: readonly string[], { deadline, signal }: GitRun, accept: readonly number[] = [0]): Promise<RunResult> {
  return run(await findProgram("git"), args, { deadline, signal, accept, env: environment });
}

const hex = /^([0-9a-f]{40}|[0-9a-f]{64})[ \t](\S+)$/;

/** What `ls-remote`, `show-ref` and `bundle list-heads` print; a tag's target is no ref of its own, and HEAD names one. */
export function parseRefs(text: string): Refs {
  const refs = text.split("\n").flatMap((line): [string, string][] => {
    const [, object, name] = hex.exec(line) ?? [];
    return object === undefined || name === undefined || !name.startsWith("refs/") || name.endsWith("^{}") ? [] : [[name, object]];
  });
  return new Map(refs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const digestOf = (refs: Refs): string => createHash("sha256").update([...refs].map(([name, object]) => `${object} ${name}\n`).join("")).digest("hex");

/** The refs of the source as it is now; a repository without commits has none. */
export async function refsOf(repository: RepositoryConfig, options: GitRun): Promise<Refs> {
  const { source } = repository;
  const settings = settingsOf(repository);
  if (!isAbsolute(source)) return parseRefs((await git([...settings, "ls-remote", source], options)).stdout);
  await mustBeWhole(repository, options);
  return parseRefs((await git([...settings, "-C", source, "show-ref"], options, [0, 1])).stdout);
}

/** A bundle of a shallow clone reads as whole and is not. */
async function mustBeWhole(repository: RepositoryConfig, options: GitRun): Promise<void> {
  const { source, name } = repository;
  const { stdout } = await git([...settingsOf(repository), "-C", source, "rev-parse", "--is-shallow-repository"], options);
  if (stdout.trim() !== "true") return;
  throw new DrError({ kind: "failed", what: `the repository ${name} is a shallow clone: its history is not there`, where: source, todo: "Name the original, or run `git fetch --unshallow` in it." });
}

/** Writes everything of the repository into one file, and says which refs are in it. `scratch`: a folder for a clone. */
export async function writeBundle(repository: RepositoryConfig, file: string, scratch: string, options: GitRun): Promise<Refs> {
  const { source, name } = repository;
  const settings = settingsOf(repository);
  let from = source;
  const clone = join(scratch, `${name}.git`);
  try {
    if (!isAbsolute(source)) {
      await git([...settings, "clone", "--quiet", "--mirror", source, clone], options);
      from = clone;
    }
    await git([...settings, "-C", from, "bundle", "create", "--quiet", file, "--all"], options);
    return parseRefs((await git(["bundle", "list-heads", file], options)).stdout);
  } finally {
    await removeTree(clone);
  }
}

/** Checks that a bundle holds everything that its refs need, by cloning it; says which refs came out. */
export async function cloneBundle(file: string, into: string, options: GitRun): Promise<Refs> {
  await git(["init", "--quiet", "--bare", into], options);
  await git(["-C", into, "bundle", "verify", "--quiet", file], options);
  // Not `clone`: that takes branches and tags alone, and the backup has every ref.
  await git(["-C", into, "fetch", "--quiet", "--no-write-fetch-head", file, "+refs/*:refs/*"], options);
  await git(["-C", into, "fsck", "--full", "--no-dangling", "--no-progress"], options);
  return parseRefs((await git(["-C", into, "show-ref"], options, [0, 1])).stdout);
}
