import { blackroad } from "../plan/blackroad.ts";
import { scalePlan } from "../plan/scale.ts";
import { Catalog } from "../runner/catalog/catalog.ts";
import { readConfig, readSecret } from "../runner/config.ts";
import type { Progress, RunContext } from "../runner/context.ts";
import { openBackends } from "../runner/storage/open.ts";
import { systemClock } from "../runner/system/clock.ts";
import { makeFolder } from "../runner/system/files.ts";
import { databaseUser } from "../runner/system/user.ts";

/** Opens everything that the configuration file `path` names. Whoever opens it closes its backends. */
export async function openRun(path: string, signal: AbortSignal, report: (progress: Progress) => void): Promise<RunContext> {
  const config = await readConfig(path);
  const plan = config.intervalScale === 1 ? blackroad : scalePlan(blackroad, config.intervalScale);
  await makeFolder(config.workDirectory, { mode: 0o711, owner: databaseUserOf(config.postgres === undefined, config.databaseUser) });
  const backends = await openBackends(config);
  let passphrase: Promise<string> | undefined;
  return {
    config,
    plan,
    backends,
    catalog: new Catalog(backends, systemClock, { readOnly: config.readOnly }),
    clock: systemClock,
    passphrase: () => (passphrase ??= readSecret(config.passphraseFile, "the passphrase of the backups")),
    signal,
    report,
  };
}

/** The work directory belongs to whoever runs pgBackRest, where there is a database at all. */
const databaseUserOf = (none: boolean, name: string) => (none ? undefined : databaseUser(name));
