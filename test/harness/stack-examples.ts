import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { load } from "js-yaml";
import { z } from "zod";
import type { StackRole } from "../../plan/names.ts";
import type { RawConfig } from "../../stacks/configuration/read.ts";

const examples = resolve(import.meta.dirname, "../../stacks/examples");
const file = z.object({ config: z.record(z.string(), z.unknown()) });

export const examplePath = (role: StackRole): string => join(examples, `Pulumi.${role}.yaml`);

/** The shipped example of a stack's configuration, as the engine hands it to the program: objects are JSON. */
export function exampleConfig(role: StackRole, changes: Readonly<Record<string, unknown>> = {}): RawConfig {
  const { config } = file.parse(load(readFileSync(examplePath(role), "utf8")));
  const merged = { ...withOperators(config), ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [`blackroad-dr:${key}`, value])) };
  return Object.fromEntries(Object.entries(merged).flatMap(([key, value]) => (value === undefined ? [] : [[key, typeof value === "string" ? value : JSON.stringify(value)]])));
}

/** The examples are for a first `up`, of the cluster alone; tests are about what comes after it. */
function withOperators(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const key = "blackroad-dr:cluster";
  const cluster = config[key];
  return typeof cluster === "object" && cluster !== null && "operators" in cluster ? { ...config, [key]: { ...cluster, operators: "installed" } } : config;
}
