import { describe, expect, it } from "vitest";
import type { EngineStack } from "../harness/engine.ts";
import { inOrder, project, stackOfRole } from "../harness/engine-stacks.ts";
import { useEngine } from "../harness/use-engine.ts";

/** The four stacks that are kept, as an operator brings them up the first time. */
describe("the stacks, from nothing", () => {
  const engine = useEngine(project);
  const stacks = new Map<string, EngineStack>();

  it.each(inOrder)("%s previews with what no cloud has computed yet, comes up as previewed, and has nothing to change then", async (role) => {
    const stack = await stackOfRole(engine(), role);
    stacks.set(role, stack);
    const before = engine().providers.cloud.all().length;
    const preview = await stack.preview();
    expect(engine().providers.cloud.all(), "a preview makes nothing").toHaveLength(before);
    const up = await stack.up();
    expect(up).toMatchObject({ created: preview.created, changes: up.created });
    expect((await stack.up()).steps).toEqual([]);
  });

  it("finds everything as it was left", async () => {
    for (const stack of stacks.values()) expect((await stack.refresh()).steps, stack.name).toEqual([]);
  });

  it("are each a stack of one project", async () => {
    expect((await engine().stacks()).toSorted()).toEqual([...inOrder].toSorted());
  });
});
