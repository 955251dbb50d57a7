import { join } from "node:path";
import type { StackRole } from "../../plan/names.ts";
import type { Engine, EngineStack } from "./engine.ts";
import { exampleChanges } from "./example-changes.ts";
import { exampleConfig } from "./stack-examples.ts";

export const project = join(import.meta.dirname, "..", "..");
/** As they come up. */
export const inOrder = ["global", "archive", "secondary", "primary"] as const satisfies readonly StackRole[];

/** A stack of the project, called like its role, as its shipped example configures it, with `changes` to single keys. */
export function stackOfRole(engine: Engine, role: StackRole, changes: Readonly<Record<string, unknown>> = {}): Promise<EngineStack> {
  return engine.stack(role, exampleConfig(role, { ...exampleChanges[role], ...changes }));
}
