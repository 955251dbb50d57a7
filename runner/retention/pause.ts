/** Keeps backups from expiring for a while, for somebody who recovers elsewhere with credentials that only read. */
import { leasesPrefix } from "../../plan/layout.ts";
import { refuseReadOnly } from "../backup-record.ts";
import type { RunContext } from "../context.ts";
import { DrError } from "../errors.ts";
import { takeLease } from "./lease.ts";

export interface Pause {
  readonly until: string;
  /** Backends that know of it. */
  readonly backends: readonly string[];
}

/** The longest, in seconds: what should be gone is paid for meanwhile, and somebody may forget it. */
const longestPause = 7 * 86_400;

/** @throws DrError where no backend took it */
export async function pauseExpiry(context: RunContext, seconds: number): Promise<Pause> {
  refuseReadOnly(context, "pause the expiry");
  if (!(seconds > 0) || seconds > longestPause) throw new DrError({ kind: "usage", what: "a pause lasts from a moment to seven days", where: "--pause", todo: "Name a shorter one; it can be repeated." });
  const until = new Date(context.clock.now().getTime() + seconds * 1_000).toISOString();
  const { backends } = await takeLease(context, { purpose: "pause", what: "dr expire --pause", until: seconds });
  if (backends.length > 0) return { until, backends };
  throw new DrError({ kind: "unavailable", what: "no backend took the pause, so nothing keeps backups from expiring", where: "dr expire --pause", todo: "See why each backend refused it, above." });
}

/** Ends every pause. Leases of recoveries that run stay. */
export async function resumeExpiry(context: RunContext): Promise<{ readonly ended: number }> {
  refuseReadOnly(context, "end a pause of the expiry");
  const ended = new Set<string>();
  for (const backend of context.backends) {
    const keys: string[] = [];
    for await (const { key } of backend.list(`${leasesPrefix}pause-`)) keys.push(key);
    if (keys.length > 0) await backend.remove(keys);
    for (const key of keys) ended.add(key);
  }
  return { ended: ended.size };
}
