import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { escrowText, readRecipients, seal } from "../../../components/access/escrow.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { run } from "../../../runner/system/process.ts";
import { recipient } from "../../harness/recipients.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "escrow-"));
  await chmod(folder, 0o700);
});
afterAll(async () => {
  await run("gpgconf", ["--homedir", folder, "--kill", "all"], { deadline: 10 });
  await rm(folder, { recursive: true });
});

const gpg = async (...args: string[]): Promise<string> => (await run("gpg", ["--homedir", folder, "--batch", "--yes", ...args], { deadline: 60 })).stdout;

describe("the escrow and gpg", () => {
  it("fit: gpg makes a key, the escrow is sealed to its public half, gpg opens it", async () => {
    await gpg("--passphrase", "", "--quick-generate-key", "Ada <ada@example.org>", "default", "default", "never");
    const ada = await gpg("--armor", "--export", "ada@example.org");
    const ben = await recipient("ben");
    const text = escrowText(blackroad, [{ name: "runner", opens: "everything", value: "swordfish" }]);

    const recipients = await readRecipients([ada, ben.publicKey]);
    for (const more of ["", "1", "22"]) {
      // Each length that base64 ends with.
      await writeFile(join(folder, "escrow.asc"), await seal(text + more, recipients));
      expect(await gpg("--decrypt", join(folder, "escrow.asc"))).toBe(text + more);
    }
  });

  it("fit the other way too: a key of ours opens in gpg what is sealed to it and to another", async () => {
    const ben = await recipient("ben");
    await writeFile(join(folder, "ben.asc"), ben.privateKey);
    await gpg("--import", join(folder, "ben.asc"));
    await writeFile(join(folder, "escrow.asc"), await seal("swordfish", await readRecipients([(await recipient("eve")).publicKey, ben.publicKey])));
    expect(await gpg("--decrypt", join(folder, "escrow.asc"))).toBe("swordfish");
  });
});
