import { formatDuration } from "../../../plan/units.ts";
import { outcomeOf } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { expectedBackups } from "../../status/expected.ts";
import { vaultSchedule } from "./retention.ts";

/**
 * Why there is nothing to do in a region whose servers sleep: another region's are in use, and their newest snapshot is
 * as new as the plan asks for. `undefined` where it is not: then nobody backs Vault up, and this is a failure.
 */
export async function madeElsewhere({ catalog, clock, plan }: RunContext, what: string): Promise<string | undefined> {
  const [expected] = expectedBackups(plan, new Set(["vault"])).filter(({ schedule }) => schedule === vaultSchedule);
  if (expected === undefined) return undefined;
  const now = clock.now();
  const since = new Date(now.getTime() - expected.overdueAfterSeconds * 1_000);
  const { records } = await catalog.list({ store: expected.store, kind: expected.kind, since });
  const newest = records.findLast((record) => outcomeOf(record) !== "failed");
  if (newest === undefined) return undefined;
  return `${what}; Vault is backed up elsewhere: ${newest.id}, ${formatDuration(Math.max(0, (now.getTime() - Date.parse(newest.startedAt)) / 1_000))} ago`;
}
