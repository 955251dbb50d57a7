import type { Command } from "commander";
import type { CliContext } from "./context.ts";

/** Every recovery keeps the backups from expiring while it runs: whatever `dr recover` does, a lease stands meanwhile. */
export function protectFromExpiry(recover: Command, context: CliContext): void {
  recover.hook("preAction", async (_, action) => {
    if (action.opts<{ readonly dryRun?: boolean }>().dryRun === true) return;
    const run = await context.openRun();
    const { beginRecovery } = await import("../runner/retention/recovery-lease.ts");
    const lease = await beginRecovery(run, `dr recover ${action.name()}`);
    context.atEnd(() => lease.release());
  });
}
