import type { Command } from "commander";
import type { CliContext } from "../context.ts";

/** `dr init`: makes the repositories ready for the first backup; run again, it changes nothing. */
export function registerInit(program: Command, context: CliContext): void {
  program
    .command("init")
    .description("make pgBackRest's repositories ready for the first backup (again: no change)")
    .action(async () => {
      const { initialisePostgres } = await import("../../runner/stores/postgres/initialise.ts");
      const result = await initialisePostgres(await context.openRun());
      context.print(JSON.stringify(result, undefined, 2), result);
    });
}
