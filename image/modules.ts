/**
 * Prints the folders of the npm packages that `dr` runs on, one a line, in the order of their names: what package.json
 * depends on and everything that it brings, as package-lock.json has it. Pulumi's SDKs are left out: its programs run
 * where `pulumi` does, and they are most of the space.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const entry = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
});
const lock = z.object({ packages: z.record(z.string(), entry) });
type Packages = z.infer<typeof lock>["packages"];

const isPulumi = (name: string): boolean => name.startsWith("@pulumi/");

/** The folder of `name` as Node finds it from `folder`: there, or in one above. */
function resolved(packages: Packages, folder: string, name: string): string | undefined {
  for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const candidate = join(at, "node_modules", name);
    if (packages[candidate] !== undefined) return candidate;
    if (at === "") return undefined;
  }
}

/**
 * Folders of the packages that are needed, sorted.
 * @throws RangeError where the lock file lacks one that is not optional
 */
export function neededModules(text: string): readonly string[] {
  const { packages } = lock.parse(JSON.parse(text));
  const needed = new Set<string>();
  const visit = (folder: string): void => {
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = packages[folder] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }).filter((one) => !isPulumi(one))) {
      const found = resolved(packages, folder, name);
      if (found === undefined && dependencies[name] !== undefined) throw new RangeError(`package-lock.json lacks ${name}, which ${folder === "" ? "package.json" : folder} depends on`);
      if (found === undefined || needed.has(found)) continue;
      needed.add(found);
      visit(found);
    }
  };
  visit("");
  return [...needed].sort();
}

if (import.meta.main) process.stdout.write(`${neededModules(readFileSync(join(import.meta.dirname, "..", "package-lock.json"), "utf8")).join("\n")}\n`);
