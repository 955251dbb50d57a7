import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../../runner/system/process.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => void (folder = await temporaryFolder("process")));
afterAll(() => folder.remove());

/** A shell that says when it is there; `atInterrupt` is what it does when it is asked to end. */
async function stopped(atInterrupt: string, grace: number | undefined): Promise<{ readonly seconds: number; readonly said: string }> {
  const file = join(folder.path, `said-${grace ?? "none"}`);
  const stop = new AbortController();
  let begun = 0;
  const script = `trap '${atInterrupt}' INT; echo ready; while :; do sleep 0.05; done`;
  const done = run("bash", ["-c", script, "shell", file], {
    deadline: 30, signal: stop.signal, ...(grace === undefined ? {} : { grace }),
    onLine: () => {
      begun = performance.now();
      stop.abort(new Error("stopped by the test"));
    },
  });
  await expect(done).rejects.toThrow("stopped by the test");
  return { seconds: (performance.now() - begun) / 1_000, said: await readFile(file, "utf8").catch(() => "") };
}

describe("a command that is stopped", () => {
  it("ends by itself where it is given the time, so that it can tidy up", async () => {
    expect((await stopped('echo tidied > "$1"; exit 0', 20)).said).toBe("tidied\n");
  });

  it("is killed where it does not end in that time", async () => {
    const { seconds, said } = await stopped('echo heard > "$1"', 0.4);
    expect(said).toBe("heard\n");
    expect(seconds).toBeGreaterThan(0.35);
    expect(seconds).toBeLessThan(20);
  });

  it("is killed at once where it is given none", async () => {
    expect((await stopped('echo heard > "$1"', undefined)).said).toBe("");
  });
});
