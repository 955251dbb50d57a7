import type { Command } from "commander";
import type { CliContext } from "../context.ts";

export function registerCatalog(program: Command, context: CliContext): void {
  program.command("catalog").description("what was backed up, and where each copy is").action(() => context.print("not built yet", {}));
}
