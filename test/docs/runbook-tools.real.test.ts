import { readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { escrowText, readRecipients, seal } from "../../components/access/escrow.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { run } from "../../runner/system/process.ts";
import { recipient } from "../harness/recipients.ts";
import { temporaryFolder } from "../harness/temporary.ts";

const runbook = readFileSync(join(import.meta.dirname, "..", "..", "docs", "runbook.md"), "utf8");
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder("runbook-tools");
});
afterAll(() => folder.remove());

/** The runbook's own line that begins so, as a shell would run it with these values in its placeholders. */
async function play(program: string, { values, env }: { readonly values: Readonly<Record<string, string>>; readonly env: Readonly<Record<string, string>> }): Promise<string> {
  const line = runbook.split("\n").find((one) => one.startsWith(`${program} `)) ?? `the runbook has no ${program}`;
  return (await run("bash", ["-c", line], { deadline: 60, env: { ...values, ...env } })).stdout;
}

describe("a tool of the runbook", () => {
  it("opens the escrow: gpg, with the key of one of its recipients", async () => {
    const home = join(folder.path, "gnupg");
    await mkdir(home, { mode: 0o700 });
    await chmod(home, 0o700);
    const [ada, ben] = [await recipient("ada"), await recipient("ben")];
    await writeFile(join(folder.path, "ben.asc"), ben.privateKey);
    const text = escrowText(blackroad, [{ name: "runner", opens: "every backup of dr", value: "swordfish" }]);
    const escrow = join(folder.path, "escrow.asc");
    await writeFile(escrow, await seal(text, await readRecipients([ada.publicKey, ben.publicKey])));
    try {
      await run("gpg", ["--homedir", home, "--batch", "--import", join(folder.path, "ben.asc")], { deadline: 60 });
      expect(await play("gpg", { values: { ESCROW: escrow }, env: { GNUPGHOME: home } })).toBe(text);
    } finally {
      await run("gpgconf", ["--homedir", home, "--kill", "all"], { deadline: 10 });
    }
  });
});
