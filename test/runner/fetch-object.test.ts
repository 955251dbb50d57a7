import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, describe, it } from "vitest";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fetch-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const urlOf = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, "../..", path)).href);

/** In a process of its own: an error that nobody listens to would end it, whatever else told of it. */
const script = (into: string) => `
  import { setTimeout as sleep } from "node:timers/promises";
  import { fetchCopy } from ${urlOf("runner/fetch-object.ts")};
  import { FolderBackend } from ${urlOf("runner/storage/folder.ts")};
  const backend = new FolderBackend({ kind: "folder", name: "r2", path: ${JSON.stringify(into)} });
  const object = { key: "redis/x", bytes: 10, sha256: "0" };
  await backend.put(object.key, Buffer.alloc(10));
  const reason = new Error("stopped");
  for (const when of ["before it is asked for", "while it is asked for", "between the answer and the first byte"]) {
    const stop = new AbortController();
    if (when.startsWith("before")) stop.abort(reason);
    const slow = Object.assign(Object.create(backend), { get: async (...asked) => {
      if (when.startsWith("while")) stop.abort(reason);
      await sleep(20);
      const body = await backend.get(...asked);
      if (when.startsWith("between")) stop.abort(reason);
      await sleep(20);
      return body;
    } });
    const told = await fetchCopy(slow, object, "secret", ${JSON.stringify(join(into, "into"))}, stop.signal).then(() => "nothing", String);
    await sleep(50);
    console.log(when + ": " + told);
  }
`;

describe("an object that is brought from a backend", () => {
  it("ends in the error of whoever stopped it alone, at whichever moment", () => {
    const { status, stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", script(folder)], { encoding: "utf8", timeout: 30_000 });
    expect({ status, stderr, stdout: stdout.trim().split("\n") }).toEqual({
      status: 0, stderr: "",
      stdout: ["before it is asked for: Error: stopped", "while it is asked for: Error: stopped", "between the answer and the first byte: Error: stopped"],
    });
  });
});
