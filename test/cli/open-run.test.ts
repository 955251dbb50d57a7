import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openRun } from "../../cli/open-run.ts";
import { temporaryFolder } from "../harness/temporary.ts";

const open = (path: string) => openRun(path, new AbortController().signal, () => undefined);

it("leaves a work directory that everybody writes to as it is, and says where one cannot be made", async () => {
  const folder = await temporaryFolder("open");
  try {
    const config = async (workDirectory: string): Promise<string> => {
      const path = join(folder.path, "config.json");
      await writeFile(path, JSON.stringify({ workDirectory, passphraseFile: "/nonexistent", backends: [{ kind: "folder", name: "r2", path: folder.path }] }));
      return path;
    };
    const shared = join(folder.path, "shared");
    await mkdir(shared);
    await chmod(shared, 0o1777);
    await expect(open(await config(shared))).rejects.toMatchObject({ kind: "usage", where: shared });
    expect((await stat(shared)).mode & 0o7777).toBe(0o1777);
    const below = join(await config("/"), "below-a-file");
    await expect(open(await config(below))).rejects.toMatchObject({ kind: "unavailable", where: below });
    expect((await open(await config(join(folder.path, "new")))).backends).toHaveLength(1);
  } finally {
    await folder.remove();
  }
});
