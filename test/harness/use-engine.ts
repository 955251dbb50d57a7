import { afterAll, beforeAll, beforeEach } from "vitest";
import { pulumiProgram, startEngine, withoutPulumi, type Engine } from "./engine.ts";

/** An engine for the tests of a `describe`, which are skipped, and say why, where there is no Pulumi command. */
export function useEngine(project: string): () => Engine {
  let engine: Engine | undefined;
  beforeAll(async () => {
    if ((await pulumiProgram()) !== undefined) engine = await startEngine(project);
  });
  beforeEach((context) => context.skip(engine === undefined, withoutPulumi));
  afterAll(() => engine?.close());
  return () => {
    if (engine === undefined) throw new Error(withoutPulumi);
    return engine;
  };
}
