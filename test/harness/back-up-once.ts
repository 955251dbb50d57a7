import { parseConfig } from "../../runner/config.ts";
import { Catalog } from "../../runner/catalog/catalog.ts";
import { openBackends } from "../../runner/storage/open.ts";
import { systemClock } from "../../runner/system/clock.ts";
import { backUpPostgres } from "../../runner/stores/postgres/back-up.ts";
import { testPlan } from "./protected-postgres.ts";

/** A full backup in a process of its own, which a test kills. */
export async function startBackup(config: string): Promise<void> {
  const parsed = parseConfig(JSON.parse(config), "test");
  const backends = await openBackends(parsed);
  await backUpPostgres({ config: parsed, plan: testPlan, backends, catalog: new Catalog(backends, systemClock), clock: systemClock, passphrase: () => Promise.resolve(""), signal: new AbortController().signal, report: () => undefined }, "full");
}
