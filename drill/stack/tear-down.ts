import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { DrError, messageOf } from "../../runner/errors.ts";
import { lineOf, type Tell } from "./event.ts";

/**
 * Destroys what a drill stack declared, and then the stack. It is not to be interrupted: what is left costs money and
 * holds copies of production's data. Where resources cannot be destroyed the stack stays, as nothing else knows them.
 * @throws DrError which names what is left
 */
export async function tearDown(stack: Stack, tell: Tell): Promise<void> {
  try {
    await destroy(stack, tell);
  } catch (first) {
    tell("destroy", `once more, after a look at what is there: ${lastLine(first)}`);
    await destroyAfterLook(stack, tell).catch((cause: unknown) => {
      throw leftovers(stack.name, `could not be destroyed: ${lastLine(cause)}`, cause);
    });
  }
  const left = await resourcesOf(stack);
  if (left.length > 0) throw leftovers(stack.name, `has ${left.length} resources after its destruction: ${left.map(({ urn }) => urn.split("::").slice(-2).join(" ")).join(", ")}`);
  tell("remove", "the stack and its configuration");
  await stack.workspace.removeStack(stack.name);
}

const destroy = async (stack: Stack, tell: Tell): Promise<unknown> => stack.destroy({ onEvent: (event) => report(event, tell) });

/** An `up` that was killed leaves a lock, and resources of which nobody knows whether they were made. */
async function destroyAfterLook(stack: Stack, tell: Tell): Promise<void> {
  await stack.cancel().catch((error: unknown) => tell("destroy", `no lock was lifted: ${lastLine(error)}`));
  await stack.refresh({ clearPendingCreates: true });
  await destroy(stack, tell);
}

function report(event: Parameters<typeof lineOf>[0], tell: Tell): void {
  const line = lineOf(event);
  if (line !== undefined) tell("destroy", line);
}

const deployment = z.object({ resources: z.array(z.object({ urn: z.string(), type: z.string(), inputs: z.record(z.string(), z.unknown()).optional() })).nullish() });

/** What the state knows, besides the stack itself. */
export async function resourcesOf(stack: Stack): Promise<readonly { readonly urn: string; readonly type: string; readonly inputs?: Readonly<Record<string, unknown>> | undefined }[]> {
  const exported: unknown = (await stack.exportStack()).deployment;
  return (deployment.parse(exported ?? {}).resources ?? []).filter(({ type }) => type !== "pulumi:pulumi:Stack");
}

const leftovers = (stack: string, what: string, cause?: unknown): DrError =>
  new DrError({ kind: "failed", what: `the drill stack ${what}`, where: stack, todo: `Mend what the message names, then \`pulumi destroy --stack ${stack}\` or another sweep; the stack is kept, as nothing else knows its resources.`, ...(cause === undefined ? {} : { cause }) });

/** Of Pulumi's error, which quotes the whole output. */
export function lastLine(error: unknown): string {
  const lines = messageOf(error).split("\n").map((line) => line.trim());
  return lines.findLast((line) => /^error:|error: /.test(line)) ?? lines.findLast((line) => line !== "") ?? "";
}
