/** Makes the repositories ready for the first backup. */
import type { RunContext } from "../../context.ts";
import { refuseReadOnly } from "../../backup-record.ts";
import { DrError, messageOf } from "../../errors.ts";
import { makeFolder } from "../../system/files.ts";
import { databaseUser } from "../../system/user.ts";
import { isLeader, withPostgres } from "./connection.ts";
import { openRepository, productionSite, repositoriesOf, type Repository } from "./repositories.ts";

export interface Initialised {
  readonly repositories: readonly ({ readonly repository: string; readonly ok: true } | { readonly repository: string; readonly ok: false; readonly error: string })[];
}

/** Seconds for making the stanza. */
const createDeadline = 120;

/**
 * Makes the stanza in each repository and checks that WAL arrives there; again, it changes nothing. One repository
 * that is down does not keep the other from being ready. Throws where none is, or where this is not the leader.
 */
export async function initialisePostgres(context: RunContext): Promise<Initialised> {
  refuseReadOnly(context, "make repositories ready");
  const leader = await withPostgres(context, isLeader);
  if (!leader) throw new DrError({ kind: "refused", what: "this server is a replica: repositories are made ready from the leader", where: "postgres in the configuration", todo: "Run it where the leader is." });
  const repositories: Initialised["repositories"][number][] = [];
  const errors: unknown[] = [];
  for (const repository of repositoriesOf(context)) {
    context.report({ step: `making the repository ${repository.name} ready` });
    try {
      await initialiseOne(context, repository);
      repositories.push({ repository: repository.name, ok: true });
    } catch (error) {
      context.signal.throwIfAborted();
      errors.push(error);
      repositories.push({ repository: repository.name, ok: false, error: messageOf(error) });
    }
  }
  if (repositories.every(({ ok }) => !ok)) throw errors[0];
  return { repositories };
}

async function initialiseOne(context: RunContext, repository: Repository): Promise<void> {
  await repository.backend.check();
  const settings = await repository.settings();
  if (settings.kind === "posix") await makeFolder(settings.path, { mode: 0o750, owner: databaseUser(context.config.databaseUser) });
  const open = await openRepository(context, repository, productionSite(context));
  await open.command(["stanza-create"], { deadline: createDeadline });
  // `check` switches a segment and waits for it: the archiver works for this repository, or says why not.
  const wait = Math.ceil(context.plan.postgres.pushBoundDegraded);
  await open.command(["check", `--archive-timeout=${wait}`], { deadline: wait + createDeadline });
}
