import { access, chmod, copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { run, type OsUser } from "../../../runner/system/process.ts";
import { lookUpProgram } from "../../../runner/system/programs.ts";
import { isRoot, userNamed } from "../../../runner/system/user.ts";

let parent = "";
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "ord-"));
  await chmod(parent, 0o777);
});
afterEach(() => rm(parent, { recursive: true }));

const script = join(import.meta.dirname, "ordinary-user-drill.ts");

/** Somebody without any rights, where we are root; else ourselves. */
const somebody = (): OsUser | undefined => (isRoot() ? userNamed("nobody") : undefined);

/** Root's own tools lie in root's home, which nobody else may enter. */
async function toolsForAll(): Promise<Record<string, string>> {
  const server = await lookUpProgram("versitygw");
  if (server === undefined) return {};
  const folder = join(parent, "tools");
  await mkdir(folder, { mode: 0o755 });
  await copyFile(server, join(folder, "versitygw"));
  return { DR_TOOLS: folder };
}

it("an ordinary user runs a whole production, with a network that is shared, and leaves nothing", async (context) => {
  const user = somebody();
  const readable = user === undefined || (await run("test", ["-r", script], { user, deadline: 10, accept: [0, 1] })).code === 0;
  if (!readable) context.skip(`the user nobody cannot read this checkout (${dirname(script)}): an ordinary user is not played`);
  const root = join(parent, "drill");
  const { stdout } = await run(process.execPath, [script, root], { user, cwd: "/", env: await toolsForAll(), deadline: 120 });
  const seen: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  expect(seen).toMatchObject({ agentsValid: 50, errors: [], leftovers: [], ...(isRoot() ? { user: "nobody", isolation: "shared" } : {}) });
  await expect(access(root)).rejects.toThrow("ENOENT");
  expect((await readdir(parent)).filter((name) => name !== "tools")).toEqual([]);
});
