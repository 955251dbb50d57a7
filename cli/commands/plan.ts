import type { Command } from "commander";
import { assess } from "../../plan/assess.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { exitCodes } from "../../runner/errors.ts";
import type { CliContext } from "../context.ts";

export function registerPlan(program: Command, context: CliContext): void {
  program
    .command("plan")
    .description("objectives, copies, schedule and cost of the plan; exit 1 where a promise cannot be kept")
    .action(() => {
      const assessment = assess(blackroad);
      context.print(assessment.cells.map((cell) => `${cell.store} ${cell.scope} ${cell.rpo.verdict} ${cell.rto.verdict}`).join("\n"), { assessment });
      if (!assessment.kept) context.setExitCode(exitCodes.failed);
    });
}
