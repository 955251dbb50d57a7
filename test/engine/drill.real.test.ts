import { describe, expect, it } from "vitest";
import { project, stackOfRole } from "../harness/engine-stacks.ts";
import { useEngine } from "../harness/use-engine.ts";

/** A drill beside production: what it makes is gone afterwards, and what it found is as it was. */
describe("the drill stack", () => {
  const engine = useEngine(project);

  it("comes up beside production and leaves nothing of it behind", async () => {
    for (const role of ["global", "archive", "secondary"] as const) await (await stackOfRole(engine(), role)).up();
    const before = engine().providers.cloud.all();
    const drill = await stackOfRole(engine(), "drill");
    expect((await drill.preview()).created).toBeGreaterThan(0);
    const up = await drill.up();
    expect(up).toMatchObject({ changes: up.created });
    expect((await drill.up()).steps).toEqual([]);
    expect((await drill.exported()).resources.filter(({ protect, retainOnDelete }) => protect === true || retainOnDelete === true)).toEqual([]);
    await drill.destroy();
    expect((await drill.exported()).resources).toEqual([]);
    await drill.remove();
    expect(await engine().stacks()).not.toContain("drill");
    expect(engine().providers.cloud.all()).toEqual(before);
  }, 600_000); // ten operations of the engine
});
