/** Makes the repositories ready for the first backup. */
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunContext } from "../../context.ts";
import { refuseReadOnly } from "../../backup-record.ts";
import { DrError, messageOf } from "../../errors.ts";
import { makeFolder } from "../../system/files.ts";
import { databaseUser } from "../../system/user.ts";
import { isLeader, withPostgres } from "./connection.ts";
import { lockedCode } from "./faults.ts";
import { openRepository, productionSite, repositoriesOf, type OpenRepository, type Repository } from "./repositories.ts";

export interface Initialised {
  readonly repositories: readonly ({ readonly repository: string; readonly ok: true } | { readonly repository: string; readonly ok: false; readonly error: string })[];
}

/** Seconds for making the stanza. */
const createDeadline = 120;
/** Seconds between two attempts while another `dr init` is at work. */
const lockPause = 0.25;

/**
 * Makes the stanza in each repository and checks that WAL arrives there; again, it changes nothing. One repository
 * that is down does not keep the other from being ready. Throws where none is, or where this is not the leader.
 */
export async function initialisePostgres(context: RunContext): Promise<Initialised> {
  refuseReadOnly(context, "make repositories ready");
  const leader = await withPostgres(context, isLeader);
  if (!leader) throw new DrError({ kind: "refused", what: "this server is a replica: repositories are made ready from the leader", where: "postgres in the configuration", todo: "Run it where the leader is." });
  const results = new Map<string, { readonly open: OpenRepository } | { readonly error: unknown }>();
  // All stanzas first: the archiver fails for every repository while one has none.
  for (const repository of repositoriesOf(context)) results.set(repository.name, await attempt(context, () => makeStanza(context, repository)));
  for (const [name, result] of results) {
    if ("open" in result) results.set(name, await attempt(context, () => check(context, result.open)));
  }
  const repositories = [...results].map(([repository, result]) => ("open" in result ? ({ repository, ok: true } as const) : ({ repository, ok: false, error: messageOf(result.error) } as const)));
  const [first] = [...results.values()].flatMap((result) => ("error" in result ? [result.error] : []));
  if (repositories.every(({ ok }) => !ok)) throw first;
  return { repositories };
}

async function attempt(context: RunContext, work: () => Promise<OpenRepository>): Promise<{ readonly open: OpenRepository } | { readonly error: unknown }> {
  try {
    return { open: await work() };
  } catch (error) {
    context.signal.throwIfAborted();
    return { error };
  }
}

async function makeStanza(context: RunContext, repository: Repository): Promise<OpenRepository> {
  context.report({ step: `making the repository ${repository.name} ready` });
  await repository.backend.check();
  const settings = await repository.settings();
  if (settings.kind === "posix") await makeFolder(settings.path, { mode: 0o750, owner: databaseUser(context.config.databaseUser) });
  const open = await openRepository(context, repository, productionSite(context));
  // Under a lock of its own, which only another one like it can hold: an archiver that finds its lock taken gives its
  // process up without a word, and whoever waits for that waits until `archive-timeout` (five minutes, seen with 2.45).
  const lock = join(dirname(open.configFile), "stanza-lock");
  const until = performance.now() + context.plan.postgres.pushBoundDegraded * 1_000;
  for (;;) {
    const isLast = performance.now() > until;
    const { code } = await open.command(["stanza-create", `--lock-path=${lock}`], { deadline: createDeadline, accept: isLast ? [] : [lockedCode] });
    if (code === 0) return open;
    await sleep(lockPause * 1_000, undefined, { signal: context.signal });
  }
}

async function check(context: RunContext, open: OpenRepository): Promise<OpenRepository> {
  context.report({ step: `waiting for WAL in the repository ${open.name}` });
  // It switches a segment and waits for it: the archiver works for this repository, or says why not.
  const wait = Math.ceil(context.plan.postgres.pushBoundDegraded);
  await open.command(["check", `--archive-timeout=${wait}`], { deadline: wait + createDeadline });
  return open;
}
