import type { RunContext } from "../context.ts";
import { DrError } from "../errors.ts";
import { formatDuration } from "../../plan/units.ts";
import { clockTolerance } from "./lease.ts";

/**
 * Compares this machine's clock with the object stores', by an object that was written a moment ago. A clock that is a
 * day ahead would take away a day of backups. A folder has this machine's own clock, and proves nothing.
 * @throws DrError where they differ by more than an hour
 */
export async function checkClock({ backends, clock }: RunContext, key: string): Promise<void> {
  await Promise.all(
    backends.filter(({ kind }) => kind === "s3").map(async (backend) => {
      const found = await backend.head(key).catch(() => undefined); // one that is down is named by whatever needs it
      if (found === undefined) return;
      const difference = (clock.now().getTime() - found.modifiedAt.getTime()) / 1_000;
      if (Math.abs(difference) <= clockTolerance) return;
      throw new DrError({ kind: "refused", what: `this machine's clock is ${formatDuration(Math.abs(difference))} ${difference > 0 ? "ahead of" : "behind"} that of ${backend.name}, so nothing can be said to be over`, where: "dr expire", todo: "Correct the clock (NTP), then run it again." });
    }),
  );
}
