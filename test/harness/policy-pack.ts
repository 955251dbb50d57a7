import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "./engine.ts";

let files = 0;

/** Arguments that have the engine ask the project's own pack, with its settings as a file. */
export async function withPack(engine: Engine, settings: Readonly<Record<string, unknown>> = {}): Promise<readonly string[]> {
  const file = join(engine.folder, `policies-${String(++files)}.json`);
  await writeFile(file, JSON.stringify(settings));
  return ["--policy-pack", join(engine.folder, "project", "policies"), "--policy-pack-config", file];
}
