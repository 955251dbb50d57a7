import { readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { encryptKey, readPrivateKey } from "openpgp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerSecrets } from "../../../cli/commands/secrets.ts";
import { escrowText, readRecipients, seal, type EscrowedSecret } from "../../../components/access/escrow.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { openEscrow } from "../../../runner/escrow/open.ts";
import { runCommand } from "../../cli/run-command.ts";
import { testContext, type TestContext } from "../../harness/context.ts";
import { recipient, type TestRecipient } from "../../harness/recipients.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

const secrets: readonly EscrowedSecret[] = [
  { name: "pgbackrest-r2", opens: "pgBackRest's repository in r2", value: "swordfish" },
  { name: "runner", opens: "every backup outside pgBackRest, in every backend", value: "correct horse" },
];
const text = escrowText(blackroad, secrets);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let context: TestContext;
let ada: TestRecipient;
let ben: TestRecipient;
let sealed: string;
let made = 0;

beforeAll(async () => {
  folder = await temporaryFolder("escrow");
  context = await testContext({ folder: join(folder.path, "run") });
  [ada, ben] = await Promise.all([recipient("ada"), recipient("ben")]);
  sealed = await seal(text, await readRecipients([ada.publicKey, ben.publicKey]));
});
afterAll(async () => {
  context.close();
  await folder.remove();
});

async function fileOf(content: string): Promise<string> {
  const path = join(folder.path, `file-${(made += 1)}`);
  await writeFile(path, content, { mode: 0o600 });
  return path;
}
const newFolder = (): string => join(folder.path, `into-${(made += 1)}`);

describe("the escrow that a recipient opens", () => {
  it("becomes a file of mode 0600 for each secret, and no value is told", async () => {
    const into = newFolder();
    const { human, data } = await runCommand(registerSecrets, context, ["secrets", "open-escrow", await fileOf(sealed), "--key", await fileOf(ben.privateKey), "--into", into]);
    for (const { name, value } of secrets) {
      expect(await readFile(join(into, name), "utf8")).toBe(`${value}\n`);
      expect((await stat(join(into, name))).mode & 0o777).toBe(0o600);
      expect(`${human}${JSON.stringify(data)}`).not.toContain(value);
    }
    expect((await stat(into)).mode & 0o777).toBe(0o700);
    expect(human).toMatch(/runner: opens every backup outside pgBackRest, in every backend; in the configuration: passphraseFile/);
    expect(human).toMatch(/pgbackrest-r2: opens .*; in the configuration: pgbackrest.cipherPassFile of the backend r2/);
    expect(human).toMatch(/Vault's snapshots open with awskms alias\/blackroad-vault-seal .* alone/);
  });

  it("is the newest in a backend where one is named, and the older ones are told", async () => {
    const [r2] = context.backends;
    await r2?.put("escrow/0001.asc", Buffer.from(await seal("an older one", await readRecipients([ada.publicKey, ben.publicKey]))));
    // A file's time has the kernel's ticks: two that are written at once could have the same.
    await utimes(fileURLToPath(r2?.uri("escrow/0001.asc") ?? ""), 1_700_000_000, 1_700_000_000);
    await r2?.put("escrow/0002.asc", Buffer.from(sealed));
    const into = newFolder();
    const { data } = await runCommand(registerSecrets, context, ["secrets", "open-escrow", "--backend", "r2", "--key", await fileOf(ada.privateKey), "--into", into]);
    expect(data).toMatchObject({ from: r2?.uri("escrow/0002.asc"), older: [r2?.uri("escrow/0001.asc")] });
    expect(await readFile(join(into, "runner"), "utf8")).toBe("correct horse\n");
    await expect(runCommand(registerSecrets, context, ["secrets", "open-escrow", "--backend", "s3", "--key", "none", "--into", newFolder()])).rejects.toThrow(/there is no escrow/);
  });

  it("is opened by a private key with a passphrase of its own", async () => {
    const locked = await encryptKey({ privateKey: await readPrivateKey({ armoredKey: ben.privateKey }), passphrase: "open sesame" });
    const keyFile = await fileOf(locked.armor());
    const source = { file: await fileOf(sealed) };
    await expect(openEscrow({ source, keyFile, into: newFolder() })).rejects.toThrow(/--key-passphrase-file/);
    await expect(openEscrow({ source, keyFile, keyPassphraseFile: await fileOf("wrong\n"), into: newFolder() })).rejects.toThrow("the passphrase does not open the private key");
    expect((await openEscrow({ source, keyFile, keyPassphraseFile: await fileOf("open sesame\n"), into: newFolder() })).secrets).toHaveLength(2);
  });

  it("may come as gpg opened it, where the key is on a card", async () => {
    const opened = await openEscrow({ source: { input: Readable.from([text]) }, into: newFolder() });
    expect(opened.secrets.map(({ name }) => name)).toEqual(["pgbackrest-r2", "runner"]);
  });
});

describe("the escrow", () => {
  it("says to whom it is sealed where the key is another's", async () => {
    const { privateKey } = await recipient("eve");
    await expect(openEscrow({ source: { file: await fileOf(sealed) }, keyFile: await fileOf(privateKey), into: newFolder() })).rejects.toThrow(/does not open it.* It is sealed to the keys [0-9A-F]{16}, [0-9A-F]{16}/s);
  });

  it("overwrites nothing", async () => {
    const into = newFolder();
    const request = { source: { file: await fileOf(sealed) }, keyFile: await fileOf(ada.privateKey), into };
    await openEscrow(request);
    await expect(openEscrow(request)).rejects.toThrow("nothing is overwritten");
  });

  it("that is damaged, or something else, is refused without a word of what is in it", async () => {
    const keyFile = await fileOf(ada.privateKey);
    await expect(openEscrow({ source: { file: await fileOf("no message") }, keyFile, into: newFolder() })).rejects.toThrow("this is no escrow");
    const other = await seal('{"secrets":"swordfish"}', await readRecipients([ada.publicKey, ben.publicKey]));
    const error: unknown = await openEscrow({ source: { file: await fileOf(other) }, keyFile, into: newFolder() }).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("no escrow of ours");
    expect(String(error)).not.toContain("swordfish");
  });

  it("writes nowhere but into its folder, whatever a secret is called", async () => {
    const evil = JSON.stringify({ secrets: [{ name: "../evil", opens: "", value: "x" }] });
    await expect(openEscrow({ source: { input: Readable.from([evil]) }, into: newFolder() })).rejects.toThrow("no escrow of ours");
  });

  it("is asked for once: a file or a backend", async () => {
    await expect(runCommand(registerSecrets, context, ["secrets", "open-escrow", "--into", newFolder()])).rejects.toThrow("nothing says where the escrow is");
    await expect(runCommand(registerSecrets, context, ["secrets", "open-escrow", "x", "--backend", "r2", "--into", newFolder()])).rejects.toThrow("two different places");
    await expect(openEscrow({ source: { file: await fileOf(sealed) }, into: newFolder() })).rejects.toThrow("which private key");
  });
});
