import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { backUpVault, sealIn } from "../../../../runner/stores/vault/back-up.ts";
import { inspect } from "../../../../runner/stores/vault/fetch.ts";
import { BarrierReader, KeyringFinder } from "../../../../runner/stores/vault/barrier.ts";
import { openRootKey, sealKeyOf } from "../../../../runner/stores/vault/open-seal.ts";
import { rootKeyEntry } from "../../../../runner/stores/vault/seal.ts";
import { vaultWatermark } from "../../../../runner/stores/vault/watermark.ts";
import { testContext, type TestContext } from "../../../harness/context.ts";
import { temporaryFolder } from "../../../harness/temporary.ts";

/** What a real server answered once (the fixture says which): the contract with its interface, where no server is. */
const answer = z.object({ status: z.number(), body: z.json() });
const exchange = z
  .object({ notInitialised: answer, active: answer, denied: answer, sealedHealth: answer, sealedSnapshot: answer, unsealKeys: z.array(z.string()), snapshot: z.object({ status: z.number(), base64: z.base64() }) })
  .parse(JSON.parse(await readFile(new URL("recorded.json", import.meta.url), "utf8")));
const snapshot = Buffer.from(exchange.snapshot.base64, "base64");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Server;
let address: string;
let state: "notInitialised" | "active" | "sealedHealth" = "active";
const token = "s.recorded-in-a-test";

beforeAll(async () => {
  folder = await temporaryFolder("recorded");
  server = createServer((request, response) => {
    const say = ({ status, body }: z.infer<typeof answer>) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.url === "/v1/sys/health") return void say(exchange[state]);
    if (request.url !== "/v1/sys/storage/raft/snapshot") return void response.writeHead(404).end('{"errors":[]}');
    if (state !== "active") return void say(exchange.sealedSnapshot);
    if (request.headers["x-vault-token"] !== token) return void say(exchange.denied);
    response.writeHead(exchange.snapshot.status, { "content-type": "application/gzip" }).end(snapshot);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  address = `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await folder.remove();
});

async function contextOf(name: string, written = token): Promise<TestContext> {
  const [tokenFile, keysFile] = [join(folder.path, `${name}-token`), join(folder.path, `${name}-keys`)];
  await writeFile(tokenFile, written, { mode: 0o600 });
  await writeFile(keysFile, exchange.unsealKeys.join("\n"), { mode: 0o600 });
  return testContext({ folder: join(folder.path, name), config: { vault: { server: { address, login: { method: "token", tokenFile } }, seal: { type: "shamir", keysFile } } } });
}

describe("a server's recorded answers", () => {
  it("make a backup that names its seal, and each value of it opens with the keys", async () => {
    state = "active";
    const context = await contextOf("whole");
    const backup = await backUpVault(context);
    if (!backup.done) throw new Error(backup.why);
    const { record } = backup;
    const needed = sealIn(record);
    expect([backup.outcome, record.sourceBytes, needed?.type, needed?.threshold, needed?.shares]).toEqual(["ok", snapshot.length, "shamir", 2, 3]);
    const stored = join(folder.path, "whole", "r2", record.objects[0]?.key ?? "");
    const finder = new KeyringFinder();
    let rootKey: Uint8Array | undefined;
    const summary = await inspect(stored, await context.passphrase(), (entry) => {
      finder.look(entry);
      if (entry.key === rootKeyEntry) rootKey = Uint8Array.from(entry.value);
    });
    const seal = context.config.vault?.seal;
    if (needed === undefined || seal === undefined || rootKey === undefined || finder.keyring === undefined) throw new Error("the snapshot names no seal");
    const key = await sealKeyOf(seal, needed);
    const reader = BarrierReader.open(openRootKey(key ?? new Uint8Array(), rootKey, needed), finder.keyring, finder.paths);
    await inspect(stored, await context.passphrase(), (entry) => reader.look(entry));
    expect(reader.errors).toEqual([]);
    expect(reader.count.opened + reader.count.left).toBe(summary.entries);
    expect(reader.count.opened).toBeGreaterThan(reader.count.left);
    const { state: seen, time } = await vaultWatermark(context);
    expect([seen, time]).toEqual(["active", record.watermark.time]);
    context.close();
  });

  it("are understood where it is sealed, not initialised, or knows the token not", async () => {
    const context = await contextOf("asleep");
    state = "sealedHealth";
    await expect(backUpVault(context)).rejects.toThrow(/Vault is sealed, and gives no snapshot/);
    state = "notInitialised";
    await expect(backUpVault(context)).rejects.toThrow(/Vault is not initialised/);
    state = "active";
    await expect(backUpVault(await contextOf("stranger", "s.somebody-else"))).rejects.toThrow(/answered 403: .*permission denied/);
    context.close();
  });
});
