import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomeOf, type BackupRecord } from "../../../../runner/catalog/record.ts";
import { encryptBytes } from "../../../../runner/encryption/openpgp.ts";
import { backUpVault, sealIn, type VaultBackup } from "../../../../runner/stores/vault/back-up.ts";
import type { VaultConfig } from "../../../../runner/stores/vault/config.ts";
import { withToken } from "../../../../runner/stores/vault/connection.ts";
import { keepInit } from "../../../../runner/stores/vault/kept-init.ts";
import { planVaultRecovery, recoverVault } from "../../../../runner/stores/vault/recover.ts";
import { verifyVault } from "../../../../runner/stores/vault/verify.ts";
import { vaultWatermark } from "../../../../runner/stores/vault/watermark.ts";
import { testContext, type TestContext, type TestContextOptions } from "../../../harness/context.ts";
import { freePort, temporaryFolder } from "../../../harness/temporary.ts";
import { readSecretOf, startEmptyVault, startTestVault, vaultProgram, writeSecret, type TestVault } from "../../../harness/vault.ts";

const closing: (() => unknown)[] = [];
let folder: string;
let vault: TestVault;
let sealed: TestVault;

const made = (backup: VaultBackup): Extract<VaultBackup, { done: true }> => {
  if (backup.done) return backup;
  throw new Error(backup.why);
};

async function contextOf(name: string, config: Partial<VaultConfig> = {}, more: Omit<TestContextOptions, "folder" | "config"> = {}): Promise<TestContext> {
  const context = await testContext({ folder: join(folder, name), config: { vault: { ...vault.config, ...config } }, ...more });
  closing.push(() => context.close());
  return context;
}

async function filesUnder(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Gzip's beginning, and what a raft snapshot holds in the clear. */
async function plaintextUnder(path: string): Promise<string[]> {
  const found: string[] = [];
  for (const file of await filesUnder(path)) {
    const content = await readFile(file);
    if ((content[0] === 0x1f && content[1] === 0x8b) || content.includes("core/seal-config") || content.includes("state.bin")) found.push(file);
  }
  return found;
}

/** Answers as the real one but where `answer` does. */
async function proxyOf(target: TestVault, answer: (path: string, response: import("node:http").ServerResponse) => boolean): Promise<string> {
  const server: Server = createServer((request, response) => {
    if (answer(request.url ?? "", response)) return;
    void fetch(`${target.address}${request.url ?? ""}`, { headers: { "x-vault-token": String(request.headers["x-vault-token"] ?? "") } }).then(async (real) => {
      response.writeHead(real.status);
      response.end(Buffer.from(await real.arrayBuffer()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

const at = (address: string) => ({ server: { ...vault.config.server, address } });

describe.skipIf(vaultProgram === undefined)("Vault (needs OpenBao's bao or HashiCorp's vault)", () => {
  beforeAll(async () => {
    const temporary = await temporaryFolder("vault");
    closing.push(() => temporary.remove());
    folder = temporary.path;
    const keyFile = join(folder, "seal.key");
    await writeFile(keyFile, Buffer.alloc(32, 7).toString("hex"), { mode: 0o600 });
    vault = await startTestVault(join(folder, "production"));
    closing.push(() => vault.stop());
    sealed = await startTestVault(join(folder, "auto"), { type: "static", keyId: "key-1", keyFile });
    closing.push(() => sealed.stop());
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });

  it("is backed up to every backend, recovered into a fresh server, unsealed, and its secrets read", async () => {
    const context = await contextOf("whole", { localCopies: join(folder, "whole", "local") });
    await writeSecret(vault, "app/key", "before");
    const { local, outcome, record } = made(await backUpVault(context));
    await writeSecret(vault, "app/key", "after");
    expect([outcome, record.copies.map(({ status }) => status)]).toEqual(["ok", ["ok", "ok"]]);
    expect(sealIn(record)).toMatchObject({ type: "shamir", keyId: null, shares: 3, threshold: 2 });
    if (local?.status !== "ok") throw new Error("a copy on this machine was expected");
    expect((await stat(local.path)).mode & 0o777).toBe(0o600);
    expect(createHash("sha256").update(await readFile(local.path)).digest("hex")).toBe(record.objects[0]?.sha256);
    expect(await plaintextUnder(join(folder, "whole"))).toEqual([]);

    const fresh = await startEmptyVault(join(folder, "fresh"));
    closing.push(() => fresh.stop());
    const to = { address: fresh.address };
    const planned = await planVaultRecovery(context, { backup: "latest", to });
    expect(planned).toMatchObject({ backup: record.id, targetState: "not initialised", opensWith: "2 of 3 unseal keys", notes: [] });
    const recovered = await recoverVault(context, { backup: "latest", to });
    expect(recovered).toMatchObject({ backup: record.id, unsealed: true, from: "r2", rejected: [], secrets: { read: true } });
    expect(await readSecretOf(withToken(fresh.link, vault.root.as["x-vault-token"] ?? ""), "app/key")).toBe("before");
    await expect(recoverVault(context, { backup: "latest", to })).rejects.toMatchObject({ kind: "refused" });
    await writeSecret(vault, "app/key", "later");
    const later = made(await backUpVault(context)).record;
    await recoverVault(context, { backup: later.id, to, force: true });
    expect(await readSecretOf(withToken(fresh.link, vault.root.as["x-vault-token"] ?? ""), "app/key")).toBe("later");
    expect(await plaintextUnder(join(folder, "whole"))).toEqual([]);
  });

  it("is verified by restoring each copy, unsealing it and reading its secrets", async () => {
    const context = await contextOf("verified");
    const { record } = made(await backUpVault(context));
    const { ok, copies } = await verifyVault(context, record);
    expect(copies.flatMap(({ errors }) => errors)).toEqual([]);
    expect(ok).toBe(true);
    for (const { checks, measured } of copies) {
      expect(checks.map(({ name }) => name)).toContain("its secrets are readable");
      expect(checks.find(({ name }) => name.includes("opens every value"))?.detail).toMatch(/^\d{2,} of \d{2,} entries; \d/);
      expect(measured?.vaultRestoreSeconds).toBeGreaterThan(0);
    }
    expect(await readdir(join(folder, "verified", "work", "verify"))).toEqual([]);
  });

  it("that unseals itself is verified and recovered by its seal's key, and recognised where that key is gone or another one", async () => {
    const context = await contextOf("auto-run", { ...sealed.config, seal: { ...sealed.config.seal, recoveryKeysFile: sealed.keysFile } as VaultConfig["seal"] });
    const { record } = made(await backUpVault(context));
    expect(sealIn(record)).toMatchObject({ type: "static", keyId: "key-1" });
    const good = await verifyVault(context, record);
    expect(good.copies.flatMap(({ errors }) => errors)).toEqual([]);
    expect(good.ok).toBe(true);

    const otherFile = join(folder, "other.key");
    await writeFile(otherFile, Buffer.alloc(32, 8).toString("hex"));
    for (const [seal, why] of [
      [undefined, /opens with the static key key-1 alone, and the configuration names no seal/],
      [{ type: "static", keyId: "key-1", keyFile: otherFile }, /seal's key that is at hand does not open this snapshot/],
      [{ type: "static", keyId: "key-2", keyFile: otherFile }, /static key key-1 alone, and the key at hand is key-2/],
      [{ type: "shamir", keysFile: vault.keysFile }, /and the seal at hand is shamir/],
    ] as const) {
      const found = await verifyVault({ ...context, config: { ...context.config, vault: { ...sealed.config, seal } } }, record);
      expect([found.ok, found.copies.map(({ errors }) => errors.length)]).toEqual([false, [1, 1]]);
      expect(found.copies[0]?.errors[0]).toMatch(why);
    }

    const wrong = await startEmptyVault(join(folder, "wrong-seal"), { type: "static", keyId: "key-1", keyFile: otherFile });
    closing.push(() => wrong.stop());
    await expect(recoverVault(context, { backup: "latest", to: { address: wrong.address } })).rejects.toThrow(/server's seal does not open this snapshot; nothing of the server was replaced/);
    const shamir = await startEmptyVault(join(folder, "shamir-target"));
    closing.push(() => shamir.stop());
    await expect(recoverVault(context, { backup: "latest", to: { address: shamir.address } })).rejects.toThrow(/static key key-1 alone, and the server's seal is shamir/);
    const right = await startEmptyVault(join(folder, "right-seal"), sealed.config.seal);
    closing.push(() => right.stop());
    expect(await recoverVault(context, { backup: "latest", to: { address: right.address } })).toMatchObject({ unsealed: true, secrets: { read: true } });
    // As a kill behind the loading leaves it: what the server was initialised with opens nothing any more.
    await keepInit(context, right.link, { rootToken: "s.ofTheEmptyServer", keys: [], loading: record.id });
    expect(await recoverVault(context, { backup: "latest", to: { address: right.address } })).toMatchObject({ unsealed: true, secrets: { read: true }, seconds: { restore: 0 } });
  });

  it("gives no backup to a wrong token, when it is sealed, answers 500, is cut off, or leaves the line", async () => {
    const wrongToken = join(folder, "wrong-token");
    await writeFile(wrongToken, "hvs.not-a-token-of-anybody");
    const failures: readonly (readonly [string, Partial<VaultConfig>, RegExp])[] = [
      ["token", { server: { ...vault.config.server, login: { method: "token", tokenFile: wrongToken } } }, /answered 403.*credentials/],
      ["500", at(await proxyOf(vault, (path, response) => path.includes("raft/snapshot") && Boolean(response.writeHead(500).end('{"errors":["internal"]}')))), /answered 500: .*internal/],
      ["cut", at(await proxyOf(vault, (path, response) => {
        if (!path.includes("raft/snapshot")) return false;
        response.writeHead(200, { "content-length": "100000" }).write(Buffer.from([0x1f]), () => response.destroy());
        return true;
      })), /could not be read to its end/],
      ["half", at(await proxyOf(vault, (path, response) => path.includes("raft/snapshot") && Boolean(response.end(Buffer.from("1f8b0800", "hex"))))), /snapshot is not whole/],
      ["nobody", at(`http://127.0.0.1:${await freePort()}`), /did not answer: .*ECONNREFUSED/],
      ["page", at(await proxyOf(vault, (_path, response) => Boolean(response.end("<html>")))), /no JSON but a page/],
    ];
    for (const [name, config, why] of failures) {
      const context = await contextOf(`fails-${name}`, { ...config, localCopies: join(folder, `fails-${name}`, "local") });
      const error = await backUpVault(context).then(() => undefined, String);
      expect(error, name).toMatch(why);
      expect(error).not.toMatch(/hvs\.|s\.[A-Za-z0-9]{20}/);
      const { records } = await context.catalog.list();
      expect(records.map(outcomeOf), name).toEqual(["failed"]);
      expect((await filesUnder(join(folder, `fails-${name}`))).filter((file) => file.endsWith(".pgp") || file.endsWith(".part")), name).toEqual([]);
    }
  });

  it("is left alone in a region whose servers sleep, for as long as another region backs it up", async () => {
    const asleep = await startEmptyVault(join(folder, "asleep"));
    closing.push(() => asleep.stop());
    const context = await contextOf("regions");
    const { record } = made(await backUpVault(context));
    for (const address of [asleep.address, `http://127.0.0.1:${await freePort()}`]) {
      const here = { ...context, config: { ...context.config, vault: { ...vault.config, ...at(address) } } };
      const skipped = await backUpVault(here, { leaderOnly: true });
      expect(skipped.done ? "" : skipped.why).toContain(record.id);
      await expect(backUpVault(here)).rejects.toMatchObject({ kind: "unavailable" });
      const tomorrow = { ...context.clock, now: () => new Date(Date.now() + 24 * 3_600_000) };
      await expect(backUpVault({ ...here, clock: tomorrow }, { leaderOnly: true })).rejects.toMatchObject({ kind: "unavailable" });
    }
    expect(await vaultWatermark(context)).toMatchObject({ state: "active" });
  });

  it("keeps the backends' copies where this machine's disk is full, and the other backend's where one refuses", async () => {
    const full = await contextOf("full", { localCopies: "/dev/full" });
    const first = made(await backUpVault(full));
    expect([first.outcome, first.local?.status, first.record.copies.map(({ status }) => status)]).toEqual(["partial", "failed", ["ok", "ok"]]);
    const broken = await contextOf("broken", {}, { wrap: (backend) => (backend.name === "r2" ? Object.assign(Object.create(backend) as typeof backend, { put: () => Promise.reject(new Error("writes are refused")) }) : backend) });
    const second = made(await backUpVault(broken));
    expect([second.outcome, second.record.copies.map(({ status }) => status)]).toEqual(["partial", ["failed", "ok"]]);
  });

  it("takes the next copy where one is damaged, and names the damage; a wrong passphrase opens none", async () => {
    const context = await contextOf("damaged");
    const { record } = made(await backUpVault(context));
    const path = join(folder, "damaged", "r2", record.objects[0]?.key ?? "");
    const content = await readFile(path);
    content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
    await writeFile(path, content);
    const found = await verifyVault(context, record);
    expect(found.copies.map(({ backend, ok }) => [backend, ok])).toEqual([["r2", false], ["s3", true]]);
    expect(found.copies[0]?.errors[0]).toMatch(/raft.snap.pgp in r2: .*damaged: its sha256 is/);
    const fresh = await startEmptyVault(join(folder, "from-second"));
    closing.push(() => fresh.stop());
    const other = { ...context, passphrase: () => Promise.resolve("another one") };
    await expect(recoverVault(other, { backup: "latest", to: { address: fresh.address } })).rejects.toThrow(/no copy of the backup can be used: .*passphrase/s);
    const recovered = await recoverVault(context, { backup: "latest", to: { address: fresh.address } });
    expect([recovered.from, recovered.rejected.map(({ backend }) => backend)]).toEqual(["s3", ["r2"]]);
  });

  it("is recognised as damaged where what was encrypted is whole but the snapshot in it is not", async () => {
    const context = await contextOf("inside");
    const { record } = made(await backUpVault(context));
    const message = await encryptBytes(Buffer.from("no snapshot at all"), await context.passphrase());
    const object = { key: record.objects[0]?.key ?? "", bytes: message.length, sha256: createHash("sha256").update(message).digest("hex") };
    for (const backend of context.backends) await backend.put(object.key, Readable.from([message]));
    const found = await verifyVault(context, { ...record, objects: [object] } satisfies BackupRecord);
    expect(found.copies.map(({ errors }) => errors[0])).toEqual([expect.stringMatching(/snapshot is not whole/), expect.stringMatching(/snapshot is not whole/)]);
  });

  it("is backed up by two jobs at once, each with a record and copies of its own", async () => {
    const local = join(folder, "two", "local");
    const context = await contextOf("two", { localCopies: local });
    const both = await Promise.all([backUpVault(context), backUpVault(context)]);
    expect(new Set(both.map((backup) => made(backup).record.id)).size).toBe(2);
    expect(both.map((backup) => made(backup).outcome)).toEqual(["ok", "ok"]);
    expect(await readdir(local)).toHaveLength(2);
  });

  it("goes on with a server that a killed recovery had initialised", async () => {
    const context = await contextOf("resumed");
    made(await backUpVault(context));
    const fresh = await startEmptyVault(join(folder, "resumed-target"));
    closing.push(() => fresh.stop());
    const cut = stopOnceInitialised(fresh.address);
    await expect(recoverVault({ ...context, signal: cut.signal }, { backup: "latest", to: { address: fresh.address } })).rejects.toThrow();
    expect(await recoverVault(context, { backup: "latest", to: { address: fresh.address } })).toMatchObject({ unsealed: true, secrets: { read: true } });
    expect(await plaintextUnder(join(folder, "resumed"))).toEqual([]);
  });

  it("goes on behind a snapshot that an attempt had loaded before it was cut off, and loads no other one over it", async () => {
    const context = await contextOf("loaded");
    const { record } = made(await backUpVault(context));
    const other = made(await backUpVault(context)).record;
    const fresh = await startEmptyVault(join(folder, "loaded-target"));
    closing.push(() => fresh.stop());
    const to = { address: fresh.address };
    const withoutKeys = { ...context, config: { ...context.config, vault: { ...vault.config, seal: { type: "shamir" as const, keysFile: join(folder, "not-there") } } } };
    await expect(recoverVault(withoutKeys, { backup: record.id, to })).rejects.toThrow(/the unseal keys cannot be read/);
    await expect(recoverVault(context, { backup: other.id, to })).rejects.toMatchObject({ kind: "refused", message: expect.stringContaining(`has loaded ${record.id} into this server`) as string });
    expect(await recoverVault(context, { backup: record.id, to })).toMatchObject({ unsealed: true, secrets: { read: true } });
    await expect(recoverVault(context, { backup: record.id, to })).rejects.toMatchObject({ kind: "refused", message: expect.stringMatching(/is initialised/) as string });
  });

  it("leaves no plaintext and no false backup behind where the job is killed in the middle", async () => {
    const answer = await fetch(`${vault.address}/v1/sys/storage/raft/snapshot`, { headers: { ...vault.root.as } });
    const whole = Buffer.from(await answer.arrayBuffer());
    const slow = await proxyOf(vault, (path, response) => {
      if (!path.includes("raft/snapshot")) return false;
      response.writeHead(200);
      response.write(whole.subarray(0, whole.length >> 1)); // and nothing more
      return true;
    });
    const root = join(folder, "killed");
    const context = await contextOf("killed", { ...at(slow), localCopies: join(root, "local") });
    const config = join(root, "dr.json");
    await writeFile(config, JSON.stringify(context.config));
    const job = spawn(process.execPath, ["cli/dr.ts", "--config", config, "backup", "vault", "snapshot"], { stdio: "ignore" });
    const ended = new Promise((resolve) => job.once("exit", resolve));
    const seen = async () => (await filesUnder(root)).some((file) => file.endsWith(".part"));
    for (let tries = 0; tries < 600 && !(await seen()); tries += 1) await new Promise((resolve) => setTimeout(resolve, 50));
    job.kill("SIGKILL");
    await ended;
    expect(await plaintextUnder(root)).toEqual([]);
    expect((await context.catalog.list()).records).toEqual([]);
    const next = await contextOf("killed", { localCopies: join(root, "local") });
    expect(made(await backUpVault(next)).outcome).toBe("ok");
    const later = { ...next, clock: { ...next.clock, now: () => new Date(Date.now() + 3_600_000) } };
    expect(made(await backUpVault(later)).local).toMatchObject({ status: "ok", expired: [expect.stringMatching(/^\..*\.part$/)] });
  });
});

/** Fires once the server has been initialised. */
function stopOnceInitialised(address: string): AbortController {
  const stop = new AbortController();
  const look = async (): Promise<void> => {
    const { initialized } = (await (await fetch(`${address}/v1/sys/seal-status`)).json()) as { initialized: boolean };
    if (initialized) stop.abort(new Error("killed"));
    else setTimeout(() => void look(), 5);
  };
  void look();
  return stop;
}
