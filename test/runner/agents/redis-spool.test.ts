import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RedisSpool } from "../../../runner/agents/redis-spool.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder("spool");
});
afterAll(() => folder.remove());

describe("working memory that waits", () => {
  it("is taken agent by agent, in the order of its keys, whatever order it came in", async () => {
    const spool = await RedisSpool.open(folder.path);
    for (const key of ["b", "a", "c"]) for (let n = 0; n < 1_000; n += 1) await spool.add(`agent-${n}`, `agent:agent-${n}:${key}`, key === "a" ? 1_700_000_000_123 : null, Buffer.from(`${key}${n}`));
    await spool.flush();
    expect(await spool.take("agent-999")).toEqual(["a", "b", "c"].map((key) => ({ key: `agent:agent-999:${key}`, expiresAt: key === "a" ? 1_700_000_000_123 : null, dump: Buffer.from(`${key}999`).toString("base64") })));
    expect(await spool.take("agent-999")).toEqual([]);
    expect(await spool.take("nobody")).toEqual([]);
    expect([...spool.agents()]).toHaveLength(999);
    await spool.close();
  });

  it("has a key once, as the later look found it", async () => {
    const spool = await RedisSpool.open(folder.path);
    for (const value of ["first", "second"]) await spool.add("agent-1", "agent:agent-1:state", null, Buffer.from(value));
    await spool.flush();
    expect(await spool.take("agent-1")).toEqual([{ key: "agent:agent-1:state", expiresAt: null, dump: Buffer.from("second").toString("base64") }]);
    await spool.close();
  });

  it("has no name while it waits, and takes away the one that a killed run left", async () => {
    await writeFile(join(folder.path, ".spool-0123456789ab"), "");
    const spool = await RedisSpool.open(folder.path);
    expect(await readdir(folder.path)).toEqual([]);
    await spool.close();
  });
});
