import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GlacierVault } from "../../../runner/archive/glacier-vault.ts";
import { writeDurably } from "../../../runner/system/files.ts";
import { startServer, type Server } from "../../../runner/system/process.ts";
import { lookUpProgram } from "../../../runner/system/programs.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import { freePort, temporaryFolder } from "../../harness/temporary.ts";

const moto = await lookUpProgram("moto_server");

/** moto 5 answers single uploads and retrievals; it has no multipart uploads, which a server of the tests' own stands for. */
describe.skipIf(moto === undefined)("Glacier by moto (needs moto_server on PATH: pip install 'moto[server]')", () => {
  let server: Server;
  let depot: GlacierVault;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder("moto");
    const port = await freePort();
    const dir = await mkdtemp(join(folder.path, "m-"));
    server = await startServer("moto", moto ?? "", ["-H", "127.0.0.1", "-p", String(port)], { logFile: join(dir, "log") });
    const credentialsFile = join(dir, "credentials");
    await writeDurably(credentialsFile, "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n", { mode: 0o600 });
    const url = `http://127.0.0.1:${port}`;
    // moto tells services apart by what a request is signed for; the signature itself it does not check.
    const headers = { authorization: "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261123/eu-west-1/glacier/aws4_request, SignedHeaders=host, Signature=0" };
    await waitFor("moto", async () => (await fetch(`${url}/-/vaults/v`, { method: "PUT", headers })).status === 201, { within: 60, every: 0.1, fatal: () => !server.running() });
    depot = await GlacierVault.open({ kind: "glacier-vault", name: "archive", region: "eu-west-1", vault: "v", accountId: "-", endpoint: url, credentialsFile });
  });
  afterAll(async () => {
    depot.close();
    await server.kill();
    await folder.remove();
  });

  it("takes an archive, is asked for it, gives it back, and lists it", async () => {
    const data = Buffer.from("an archive");
    const stored = await depot.store("label", Readable.from([data]), { expectedBytes: data.length, signal: new AbortController().signal });
    expect(await depot.look()).toMatchObject({ ok: true });
    const asked = await depot.retrieve(stored.reference, "expedited", undefined);
    if (asked.state !== "waiting") throw new Error("it was not asked for yet");
    const found = await waitFor("the retrieval", async () => {
      const retrieval = await depot.retrieve(stored.reference, "expedited", asked.job);
      return retrieval.state === "ready" && retrieval;
    }, { within: 60, every: 0.2 });
    expect((await buffer(found.body)).equals(data)).toBe(true);
    expect(await depot.inventory(false)).toMatchObject({ state: "waiting" });
    const inventory = await waitFor("the inventory", async () => {
      const one = await depot.inventory(false);
      return one.state === "ready" && one;
    }, { within: 60, every: 0.2 });
    expect(inventory.archives).toMatchObject([{ id: depot.idOf(stored.reference), bytes: data.length, treeHash: stored.reference["treeHash"], label: expect.stringContaining("label") as string }]);
  });
});
