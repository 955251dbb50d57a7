import { beforeAll, describe, expect, it } from "vitest";
import { escrowText, readRecipients, recipientProblems, seal, sealedWhat } from "../../../components/access/escrow.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { open, recipient, type TestRecipient } from "../../harness/recipients.ts";

let ada: TestRecipient;
let ben: TestRecipient;
let eve: TestRecipient;
let gone: TestRecipient;
beforeAll(async () => {
  [ada, ben, eve, gone] = await Promise.all([recipient("ada"), recipient("ben"), recipient("eve"), recipient("gone", { since: new Date("2020-01-01T00:00:00Z"), seconds: 86_400 })]);
});

const text = escrowText(blackroad, [{ name: "runner", opens: "every backup outside pgBackRest", value: "swordfish" }]);

describe("the escrow", () => {
  it("is opened by each recipient alone, and by nobody else", async () => {
    const sealed = await seal(text, await readRecipients([ada.publicKey, ben.publicKey]));
    expect(sealed).toMatch(/^-----BEGIN PGP MESSAGE-----/);
    expect(await open(sealed, ada)).toBe(text);
    expect(await open(sealed, ben)).toBe(text);
    await expect(open(sealed, eve)).rejects.toThrow();
  });

  it("says what each passphrase opens, and which key Vault's snapshots need", () => {
    expect(JSON.parse(text)).toMatchObject({
      secrets: [{ name: "runner", opens: "every backup outside pgBackRest", value: "swordfish" }],
      vaultSeal: { type: "awskms", alias: "alias/blackroad-vault-seal", regions: ["us-east-1", "us-west-2", "eu-west-1"] },
    });
  });

  it("is another message each time, of the same", async () => {
    const recipients = await readRecipients([ada.publicKey, ben.publicKey]);
    expect(await seal(text, recipients)).not.toBe(await seal(text, recipients));
  });

  it("is the same as before unless the text or a recipient changes", () => {
    expect(sealedWhat(text, ["A", "B"])).toBe(sealedWhat(text, ["B", "A"]));
    expect(new Set([sealedWhat(text, ["A", "B"]), sealedWhat(text, ["A", "C"]), sealedWhat(text, ["A"]), sealedWhat(`${text} `, ["A", "B"])]).size).toBe(4);
  });

  it("is sealed to an expired key as well: a recovery waits for nobody to renew one", async () => {
    const sealed = await seal(text, await readRecipients([ada.publicKey, gone.publicKey]));
    expect(await open(sealed, gone)).toBe(text);
    expect(await open(sealed, ada)).toBe(text);
  });
});

describe("recipients", () => {
  it("are at least two", () => {
    expect(recipientProblems([])).toEqual([expect.stringContaining("0 given, at least 2 needed")]);
    expect(recipientProblems([ada.publicKey])).toEqual([expect.stringContaining("1 given, at least 2 needed")]);
    expect(recipientProblems([ada.publicKey, ben.publicKey])).toEqual([]);
  });
  it("are not the same one twice", async () => {
    expect(recipientProblems([ada.publicKey, `${ada.publicKey}\n`])).toEqual(["recipients[1]: is recipients[0] again"]);
    await expect(readRecipients([ada.publicKey, ben.publicKey, `\n${ada.publicKey}`])).rejects.toThrow("recipients[2]: is the key");
  });
  it("keep their private keys", () => {
    expect(recipientProblems([ada.publicKey, ben.privateKey])).toEqual([expect.stringContaining("recipients[1]: is a private key")]);
  });
  it("are OpenPGP keys", async () => {
    expect(recipientProblems([ada.publicKey, "ssh-ed25519 AAAA"])).toEqual([expect.stringContaining("recipients[1]: is no armoured OpenPGP public key")]);
    await expect(readRecipients([ada.publicKey.replace(/[A-Za-z0-9]{20}/g, "x")])).rejects.toThrow("recipients[0]: cannot be encrypted to");
  });
});
