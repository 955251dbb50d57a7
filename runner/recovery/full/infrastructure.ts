import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import { run } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import type { FullRecoveryConfig } from "./config.ts";

/** Seconds for one stack: a cluster, its nodes and its network from nothing take about half an hour. */
const stackDeadline = 3_600;
/** Seconds in which an `up` that is stopped may end what it is at: killed, it would leave its stack locked, and things
 * that its state does not know. */
const grace = 300;

/** Brings the stacks up from code, one after the other, as `pulumi up` by hand would: with the account's own login. */
export async function bringUp(context: RunContext, { directory, stacks }: NonNullable<FullRecoveryConfig["infrastructure"]>): Promise<string> {
  const pulumi = await findProgram("pulumi");
  for (const stack of stacks) {
    context.report({ step: `pulumi up of ${stack}` });
    await run(pulumi, ["up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive", "--cwd", directory], { deadline: stackDeadline, cwd: directory, signal: context.signal, grace, env: loginOf() }).catch((cause: unknown) => {
      context.signal.throwIfAborted();
      throw new DrError({ kind: "failed", what: `the stack ${stack} did not come up: ${messageOf(cause)}`, where: directory, todo: `Correct it there (\`pulumi up --stack ${stack}\`; \`pulumi cancel\` where a killed one left it locked), then start this again: it goes on where it stopped.`, cause });
    });
  }
  return `${stacks.join(", ")} stand`;
}

/** Where Pulumi's state is, and as whom the clouds are spoken to, is the operator's: nothing else of ours is passed on. */
function loginOf(): Record<string, string> {
  const passed = /^(PULUMI_|AWS_|CLOUDFLARE_|KUBECONFIG$|HOME$|PATH$)/;
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => passed.test(entry[0]) && entry[1] !== undefined));
}
