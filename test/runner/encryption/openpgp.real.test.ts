import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { generateKey } from "openpgp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decryptBytes, decryptStream, decryptToFile, encryptBytes, encryptStream } from "../../../runner/encryption/openpgp.ts";
import { DrError } from "../../../runner/errors.ts";
import { run } from "../../../runner/system/process.ts";

const passphrase = "correct horse battery staple";
const large = randomBytes(2 * 1024 ** 2 + 12_345); // several pieces, and a rest
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "openpgp-"));
  await chmod(folder, 0o700);
  await writeFile(join(folder, "passphrase"), passphrase, { mode: 0o600 });
});
afterAll(async () => {
  await run("gpgconf", ["--homedir", folder, "--kill", "all"], { deadline: 10 }); // gpg starts an agent to encrypt
  await rm(folder, { recursive: true });
});

/** The real gpg, with the passphrase from a file and a home of its own. */
const gpg = (...args: string[]) =>
  run("gpg", ["--homedir", folder, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase-file", join(folder, "passphrase"), ...args], { deadline: 60 });

async function gpgOpens(message: Buffer): Promise<Buffer> {
  await writeFile(join(folder, "message.pgp"), message);
  await gpg("--output", join(folder, "opened"), "--decrypt", join(folder, "message.pgp"));
  return readFile(join(folder, "opened"));
}

async function gpgWrites(plain: Uint8Array, ...args: string[]): Promise<Buffer> {
  await writeFile(join(folder, "plain"), plain);
  await gpg("--s2k-count", "65536", ...args, "--output", join(folder, "written.pgp"), "--symmetric", join(folder, "plain"));
  return readFile(join(folder, "written.pgp"));
}

/** What happened to a message: its plaintext, or the error's sentence. */
async function outcome(message: Uint8Array, secret = passphrase): Promise<Buffer | string> {
  try {
    return await decryptBytes(message, secret);
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    return error.what;
  }
}

describe("what we write", () => {
  it.each([0, 1, 191, 192, 8_383, 8_384, 1024 ** 2 - 1, 1024 ** 2, 3 * 1024 ** 2])("is opened by gpg: %i bytes", async (length) => {
    const plain = randomBytes(length);
    expect((await gpgOpens(await encryptBytes(plain, passphrase))).equals(plain)).toBe(true);
  });

  it("is opened by gpg where it is compressed, and is smaller then", async () => {
    const plain = Buffer.from("agent state\n".repeat(500_000));
    const message = await encryptBytes(plain, passphrase, { compress: true });
    expect(message.length).toBeLessThan(plain.length / 10);
    expect((await gpgOpens(message)).equals(plain)).toBe(true);
    expect((await decryptBytes(message, passphrase)).equals(plain)).toBe(true);
  });

  it("uses AES-256 and integrity protection of version 1, and carries its name", async () => {
    await writeFile(join(folder, "listed.pgp"), await encryptBytes(large, passphrase, { filename: "dump.rdb" }));
    const { stdout } = await gpg("--list-packets", join(folder, "listed.pgp"));
    expect(stdout).toMatch(/symkey enc packet: version 4, cipher 9, aead 0/);
    expect(stdout).toMatch(/mdc_method: 2/);
    expect(stdout).toMatch(/name="dump.rdb"/);
  });

  it("is opened by a recipient's key as well as by the passphrase", async () => {
    const { publicKey, privateKey } = await generateKey({ userIDs: [{ name: "Offline", email: "offline@example.org" }], format: "armored" });
    const message = await encryptBytes(large, passphrase, { recipients: [publicKey] });
    const home = await mkdtemp(join(folder, "recipient-"));
    await chmod(home, 0o700);
    const asRecipient = (...args: string[]) => run("gpg", ["--homedir", home, "--batch", "--yes", ...args], { deadline: 60 });
    try {
      await writeFile(join(home, "key.asc"), privateKey, { mode: 0o600 });
      await writeFile(join(home, "message.pgp"), message);
      await asRecipient("--import", join(home, "key.asc"));
      await asRecipient("--output", join(home, "opened"), "--decrypt", join(home, "message.pgp"));
      expect((await readFile(join(home, "opened"))).equals(large)).toBe(true);
    } finally {
      await run("gpgconf", ["--homedir", home, "--kill", "all"], { deadline: 10 });
    }
    expect((await decryptBytes(message, passphrase)).equals(large)).toBe(true);
  });

  it("fails where its source fails, and destroys the source where it is destroyed", async () => {
    const failing = Readable.from((function* () {
      yield randomBytes(100_000);
      throw new Error("the disk went away");
    })());
    await expect(buffer(encryptStream(failing, passphrase))).rejects.toThrow("the disk went away");
    const endless = new Readable({ read() { this.push(randomBytes(65_536)); } });
    const stream = encryptStream(endless, passphrase);
    for await (const chunk of stream as AsyncIterable<Uint8Array>) if (chunk.length > 0) break;
    expect(endless.destroyed).toBe(true);
  });

  it("ends at once where it is destroyed while its source gives nothing", async () => {
    const silent = new Readable({ read: () => undefined });
    const stream = encryptStream(silent, passphrase);
    stream.once("data", () => stream.destroy());
    await new Promise<void>((resolve) => stream.once("close", resolve));
    expect(silent.destroyed).toBe(true);
  });
});

describe("what gpg writes", () => {
  it.each([["as it does by default"], ["uncompressed", "-z", "0"], ["compressed by zlib", "--compress-algo", "zlib"], ["with AES-128", "--cipher-algo", "AES128"]])("is opened by us: %s", async (_name, ...args) => {
    for (const plain of [Buffer.alloc(0), Buffer.from("short"), large, Buffer.alloc(4 * 1024 ** 2)]) {
      expect((await decryptBytes(await gpgWrites(plain, ...args), passphrase)).equals(plain)).toBe(true);
    }
  });
});

describe("a message that is not as it was written", () => {
  it("says so of every wrong passphrase, for our messages and for gpg's", { timeout: 120_000 }, async () => {
    const messages = [await encryptBytes(large, passphrase), await gpgWrites(large), await gpgWrites(large, "-z", "0")];
    for (const message of messages) {
      for (let number = 0; number < 16; number += 1) expect(await outcome(message, `wrong ${number}`)).toBe("the passphrase does not open the message");
    }
  });

  it("is an error wherever it is cut", async () => {
    for (const message of [await encryptBytes(large, passphrase), await gpgWrites(large)]) {
      for (const length of [0, 1, 30, 60, 80, 200, 5_000, message.length / 2, message.length - 23, message.length - 22, message.length - 1]) {
        expect(await outcome(message.subarray(0, Math.floor(length))), `cut at ${length}`).toBeTypeOf("string");
      }
    }
  });

  it("is an error wherever a byte is flipped, and never waits for ever", { timeout: 120_000 }, async () => {
    const text = Buffer.from("agent state, again and again\n".repeat(20_000));
    for (const message of [await encryptBytes(large, passphrase), await encryptBytes(text, passphrase, { compress: true }), await gpgWrites(text)]) {
      const places = [...Array.from({ length: 30 }, (_, index) => index * 4), ...Array.from({ length: 12 }, (_, index) => Math.floor((message.length - 1) * (index / 11)))];
      for (const place of places) {
        const flipped = Buffer.from(message);
        flipped.writeUInt8(flipped.readUInt8(place) ^ 0x10, place);
        const result = await outcome(flipped);
        expect(typeof result === "string" || result.equals(text), `flipped at ${place}`).toBe(true); // gpg's first length byte alone changes nothing that is read
        if (place >= 120) expect(result).toMatch(/damaged/);
      }
    }
  });

  it("leaves no plaintext behind", async () => {
    const target = await mkdtemp(join(folder, "target-"));
    const message = await encryptBytes(large, passphrase);
    await expect(decryptToFile(Readable.from([message.subarray(0, -1)]), passphrase, join(target, "dump"))).rejects.toThrow(/damaged or cut off/);
    await expect(decryptToFile(Readable.from([message]), "wrong", join(target, "dump"))).rejects.toThrow(/passphrase/);
    expect(await readdir(target)).toEqual([]);
    expect(await decryptToFile(Readable.from([message]), passphrase, join(target, "dump"))).toEqual({ bytes: large.length });
    expect((await stat(join(target, "dump"))).mode & 0o777).toBe(0o600);
    expect((await readFile(join(target, "dump"))).equals(large)).toBe(true);
  });

  it("is not taken for encrypted where it is plain", async () => {
    await expect(buffer(decryptStream(Readable.from([Buffer.from("REDIS0011")]), passphrase))).rejects.toThrow(/no OpenPGP packet/);
  });
});
