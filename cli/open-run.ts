import { stat } from "node:fs/promises";
import { blackroad } from "../plan/blackroad.ts";
import { scalePlan } from "../plan/scale.ts";
import { Catalog } from "../runner/catalog/catalog.ts";
import { readConfig, readSecret, type RunnerConfig } from "../runner/config.ts";
import type { Progress, RunContext } from "../runner/context.ts";
import { DrError, messageOf } from "../runner/errors.ts";
import { openBackends } from "../runner/storage/open.ts";
import { systemClock } from "../runner/system/clock.ts";
import { makeFolder } from "../runner/system/files.ts";
import { databaseUser } from "../runner/system/user.ts";

/** Opens everything that the configuration file `path` names. Whoever opens it closes its backends. */
export async function openRun(path: string, signal: AbortSignal, report: (progress: Progress) => void): Promise<RunContext> {
  const config = await readConfig(path);
  const plan = config.intervalScale === 1 ? blackroad : scalePlan(blackroad, config.intervalScale);
  await prepareWorkDirectory(config);
  const backends = await openBackends(config);
  let passphrase: Promise<string> | undefined;
  return {
    config,
    plan,
    backends,
    catalog: new Catalog(backends, systemClock, { readOnly: config.readOnly, onWrite: () => report({ step: "write the record" }) }),
    clock: systemClock,
    passphrase: () => (passphrase ??= readSecret(config.passphraseFile, "the passphrase of the backups")),
    signal,
    report,
  };
}

/** Others could put something of theirs in our way in a folder that everybody writes to, and lose it as it becomes ours. */
async function prepareWorkDirectory({ workDirectory, postgres, databaseUser: name }: RunnerConfig): Promise<void> {
  const mode = await stat(workDirectory).then((found) => found.mode, () => 0); // missing: it is made
  if ((mode & 0o002) !== 0) throw new DrError({ kind: "usage", what: "everybody may write to the work directory", where: workDirectory, todo: "Name a folder for dr alone as `workDirectory`, e.g. /var/lib/blackroad-dr." });
  await makeFolder(workDirectory, { mode: 0o711, owner: databaseUserOf(postgres === undefined, name) }).catch((cause: unknown) => {
    throw cause instanceof DrError ? cause : new DrError({ kind: "unavailable", what: `the work directory cannot be made ready: ${messageOf(cause)}`, where: workDirectory, todo: "Run dr as its owner, or name another folder as `workDirectory`.", cause });
  });
}

/** The work directory belongs to whoever runs pgBackRest, where there is a database at all. */
const databaseUserOf = (none: boolean, name: string) => (none ? undefined : databaseUser(name));
