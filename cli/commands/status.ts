import type { Command } from "commander";
import type { CliContext } from "../context.ts";

export function registerStatus(program: Command, context: CliContext): void {
  program.command("status").description("newest backups, recovery window, lag and storage, per store and backend").action(() => context.print("not built yet", {}));
}
