import { access, chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { writeMark } from "../../drill/environments/local/leftovers.ts";
import { sweep } from "../../drill/sweep.ts";
import { run } from "../../runner/system/process.ts";
import { isRoot, userNamed } from "../../runner/system/user.ts";
import { temporaryFolder } from "../harness/temporary.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder("sweep");
});
afterEach(async () => {
  vi.useRealTimers();
  await folder.remove();
});

async function make(name: string, mark?: string): Promise<string> {
  const root = join(folder.path, name);
  await mkdir(join(root, "stores"), { recursive: true });
  if (mark !== undefined) await writeFile(join(root, "drill.json"), mark);
  return root;
}

/** Looks as if what was made a moment ago were older. */
const later = (): void => void vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ["Date"] });

describe("a sweep", () => {
  it("removes a drill that was killed before its mark was whole, or when half of it was removed", async () => {
    await make("dr-drill-20261123-0a1b");
    await make("dr-drill-20261123-0a1c-2", '{"id":"dr-dr');
    later();
    const swept = await sweep(folder.path);
    expect({ ...swept, removed: [...swept.removed].sort() }).toEqual({ removed: ["dr-drill-20261123-0a1b", "dr-drill-20261123-0a1c-2"], running: [], leftovers: [] });
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("leaves alone what begins only now, what runs, and what is no drill's", async () => {
    await make("dr-drill-20261123-0a1b");
    expect(await sweep(folder.path)).toEqual({ removed: [], running: [], leftovers: [] });
    const names = ["dr-drill-20261123-0a1b.old", "my-project"];
    for (const name of names) await make(name, "not JSON");
    await writeMark(await make("dr-drill-20261123-0a1d"), "dr-drill-20261123-0a1d");
    later();
    expect(await sweep(folder.path)).toEqual({ removed: ["dr-drill-20261123-0a1b"], running: ["dr-drill-20261123-0a1d"], leftovers: [] });
    for (const name of names) await access(join(folder.path, name));
  });

  it("names another user's drill, which it cannot remove, and removes its own", async (context) => {
    context.skip(!isRoot(), "only root can be somebody else");
    const cli = join(import.meta.dirname, "../../cli/dr.ts");
    const user = userNamed("nobody");
    if ((await run("test", ["-r", cli], { user, deadline: 10, accept: [0, 1] })).code !== 0) context.skip("the user nobody cannot read this checkout");
    await chmod(folder.path, 0o1777);
    const dead = (id: string) => JSON.stringify({ id, root: "", pid: 1, pidStartedAt: "of an earlier boot", createdAt: new Date().toISOString() });
    const foreign = await make("dr-drill-20261123-0a1a", dead("dr-drill-20261123-0a1a"));
    const own = await make("dr-drill-20261123-0a1b", dead("dr-drill-20261123-0a1b"));
    await run("chown", ["-R", `${user.uid}:${user.gid}`, own], { deadline: 10 });
    const { code, stdout } = await run(process.execPath, [cli, "drill", "sweep"], { user, cwd: "/", deadline: 60, accept: [1], env: { TMPDIR: folder.path } });
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^removed dr-drill-20261123-0a1b\nNOT removed: ${foreign}: .*\nleftovers: 1\n$`));
    await expect(access(own)).rejects.toThrow("ENOENT");
  });
});
