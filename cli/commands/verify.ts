import type { Command } from "commander";
import type { CliContext } from "../context.ts";

export function registerVerify(program: Command, context: CliContext): void {
  program.command("verify").description("restore and query every copy of a backup").action(() => context.print("not built yet", {}));
}
