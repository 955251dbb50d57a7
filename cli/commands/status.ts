import type { Command } from "commander";
import { exitCodes } from "../../runner/errors.ts";
import type { CliContext } from "../context.ts";
import { renderStatus } from "../render/status.ts";

/** `dr status`: exit 1 where something is overdue or unprotected, 5 where no backend can be reached. */
export function registerStatus(program: Command, context: CliContext): void {
  program
    .command("status")
    .description("newest backups, recovery window, WAL and storage, per store and backend; exit 1 if something is overdue")
    .action(async () => {
      const { readStatus } = await import("../../runner/status/read.ts");
      const status = await readStatus(await context.openRun());
      context.print(renderStatus(status), status);
      if (!status.reachable) context.setExitCode(exitCodes.unavailable);
      else if (!status.ok) context.setExitCode(exitCodes.failed);
    });
}
