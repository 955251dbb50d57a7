import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { generateKey } from "openpgp";
import type { StackRole } from "../../plan/names.ts";
import type { Engine, EngineStack } from "./engine.ts";

export const project = join(import.meta.dirname, "..", "..");
/** As they come up. */
export const inOrder = ["global", "archive", "secondary", "primary"] as const satisfies readonly StackRole[];

type Config = Readonly<Record<string, unknown>>;

/** The configuration that the project shows as an example of a role, with keys of people where it leaves them to the reader. */
export async function exampleConfig(role: StackRole): Promise<Config> {
  const document = load(await readFile(join(project, "stacks", "examples", `Pulumi.${role}.yaml`), "utf8"));
  if (typeof document !== "object" || document === null || !("config" in document) || typeof document.config !== "object" || document.config === null) throw new Error(`the example of ${role} has no configuration`);
  return role === "global" ? { ...document.config, "blackroad-dr:escrow": { recipients: await recipients() } } : { ...document.config };
}

let made: Promise<readonly string[]> | undefined;
/** Public keys of two people; the same in a whole test, as another one would be a change. */
const recipients = (): Promise<readonly string[]> =>
  (made ??= Promise.all(["first", "second"].map(async (name) => (await generateKey({ userIDs: [{ name, email: `${name}@blackroad.example` }], format: "armored" })).publicKey)));

/** A stack of the project, called like its role, with the example's configuration. */
export async function stackOfRole(engine: Engine, role: StackRole, change: (config: Config) => Config = (config) => config): Promise<EngineStack> {
  return engine.stack(role, change(await exampleConfig(role)));
}
