/** The archiver's configuration: it pushes each segment to every repository. */
import { join } from "node:path";
import { archiveCommand, pgbackrestConf } from "../../../plan/config/pgbackrest.ts";
import type { RunContext } from "../../context.ts";
import { makeFolder, writeDurably } from "../../system/files.ts";
import { databaseUser } from "../../system/user.ts";
import { pgbackrestProgram, processMax, productionSite, repositoriesOf, stanzaOf } from "./repositories.ts";

/** Writes it into the work directory and returns what PostgreSQL's `archive_command` has to be. */
export async function writeArchiverConf(context: RunContext): Promise<string> {
  const owner = databaseUser(context.config.databaseUser);
  const site = productionSite(context);
  const folder = await makeFolder(site.folder, { owner });
  const place = (name: string) => makeFolder(join(folder, name), { owner });
  const { program, version } = await pgbackrestProgram();
  const { pgPath: path, port, socketPath, user } = site;
  const text = pgbackrestConf({
    plan: context.plan, version, stanza: stanzaOf(context),
    repositories: await Promise.all(repositoriesOf(context).map((repository) => repository.settings())),
    pg: { path, ...(port === undefined ? {} : { port }), ...(socketPath === undefined ? {} : { socketPath }), ...(user === undefined ? {} : { user }) },
    spool: site.spool ?? (await place("spool")), lockPath: await place("lock"), logPath: await place("log"), processMax: processMax(),
  });
  const file = join(folder, "archiver.conf");
  await writeDurably(file, text, { mode: 0o600, owner });
  return archiveCommand(file, stanzaOf(context), program);
}
