import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { run } from "../../../runner/system/process.ts";
import { lookUpProgram } from "../../../runner/system/programs.ts";
import { waitFor } from "../../../runner/system/wait.ts";

const system = (name: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../../runner/system", name)).href);
/** Starts a child that says its number and waits, as a job starts rclone. */
const program = `
  const { run } = await import(${system("process.ts")});
  const { dyingWithUs } = await import(${system("dying.ts")});
  const [file, args] = await dyingWithUs("/bin/sh", ["-c", "echo $$; exec sleep 60"]);
  await run(file, args, { deadline: 60, onLine: (line) => console.log(line) });`;

describe("a child that is to die with us", () => {
  it("is gone when we are killed, though a signal to our process group does not reach it", async ({ skip }) => {
    skip((await lookUpProgram("setpriv")) === undefined, "needs setpriv");
    const kill = new AbortController();
    let child = 0;
    const parent = run(process.execPath, ["--input-type=module", "-e", program], { deadline: 60, signal: kill.signal, onLine: (line) => {
      child = Number(line);
      kill.abort(new Error("killed"));
    } });
    await expect(parent).rejects.toThrow("killed");
    expect(child).toBeGreaterThan(0);
    await waitFor("the child's end", async () => (await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "")) === "", { within: 10, every: 0.02 });
  });
});
