import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { needs } from "../../../../runner/catalog/needs.ts";
import { backUpVectors, type VectorsBackup } from "../../../../runner/stores/vectors/back-up.ts";
import { openProvider } from "../../../../runner/stores/vectors/provider.ts";
import { recoverVectors } from "../../../../runner/stores/vectors/recover.ts";
import { verifyVectors } from "../../../../runner/stores/vectors/verify.ts";
import { testContext, type TestContext } from "../../../harness/context.ts";
import { pineconeKey, putVectors, startPineconeReplay, type PineconeReplay } from "../../../harness/pinecone-replay.ts";
import { temporaryFolder } from "../../../harness/temporary.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pinecone: PineconeReplay;
let apiKeyFile: string;
let now: Date;
const opened: { close(): void | Promise<void> }[] = [];

const seconds = () => Math.floor(now.getTime() / 1_000);
const contextOf = async (changedField: string | undefined = "updated_at"): Promise<TestContext> => {
  const { url } = pinecone.server;
  const context = await testContext({ folder: join(folder.path, "run"), clock: { now: () => now }, config: { vectors: { kind: "pinecone", index: "blackroad", host: url, control: url, apiKeyFile, ...(changedField === "" ? {} : { changedField }) } } });
  opened.push(context);
  return context;
};
const recordOf = (backup: VectorsBackup) => {
  if (!backup.done) throw new Error(backup.why);
  return backup.record;
};
const recovered = async (context: TestContext, backup: string, exists = false) => {
  const into = await startPineconeReplay();
  opened.push(into);
  into.exists = exists;
  const target = { kind: "pinecone" as const, index: "fresh", host: into.server.url, control: into.server.url, apiKeyFile };
  await recoverVectors(context, { backup, target });
  expect(into.server.broken).toEqual([]);
  return into;
};

beforeEach(async () => {
  folder = await temporaryFolder("pinecone");
  apiKeyFile = join(folder.path, "key");
  await writeFile(apiKeyFile, `${pineconeKey}\n`);
  now = new Date();
  pinecone = await startPineconeReplay();
  putVectors(pinecone, "", 0, 90, seconds() - 86_400);
  putVectors(pinecone, "agent 1/é", 0, 30, seconds() - 86_400);
  putVectors(pinecone, "untouched", 0, 10, seconds() - 86_400);
});
afterEach(async () => {
  expect(pinecone.server.broken).toEqual([]);
  await pinecone.close();
  for (const one of opened.splice(0)) await one.close();
  await folder.remove();
});

describe("an export of Pinecone", () => {
  it("holds every vector of every namespace, has Pinecone make its own backup beside it, and comes back into a new index", async () => {
    const context = await contextOf();
    const record = recordOf(await backUpVectors(context, { full: true, schedule: "postgres-full" }));
    expect(record.details).toMatchObject({ provider: "pinecone", points: 130, base: record.id, put: 130, pineconeBackup: "backup-1" });
    expect(pinecone.backups).toEqual([record.id.toLowerCase()]);
    const { ok, copies } = await verifyVectors(context, record);
    expect([ok, copies[0]?.checks.at(-1)?.name]).toEqual([true, "not restored: Pinecone runs nowhere but at Pinecone"]);
    expect((await recovered(context, "latest")).namespaces).toEqual(pinecone.namespaces);
  });

  it("stores what changed alone, finds what was deleted by counting, lists no namespace in which nothing is missing, and replays the chain", async () => {
    const context = await contextOf();
    const base = recordOf(await backUpVectors(context, { full: true, schedule: "postgres-full" }));
    now = new Date(now.getTime() + 600_000);
    putVectors(pinecone, "", 85, 95, seconds() - 10); // five changed, five new
    pinecone.namespaces.get("")?.delete("agent#3");
    pinecone.namespaces.get("agent 1/é")?.clear();
    putVectors(pinecone, "new", 0, 3, seconds() - 5);
    pinecone.server.asked.length = 0;
    const second = recordOf(await backUpVectors(context));
    expect(second.details).toMatchObject({ put: 13, dropped: 31, base: base.id, points: 90 + 5 - 1 + 3 + 10, deletionsUnseen: [] });
    expect(needs(second)).toEqual([base.id]);
    // Pages of the one namespace that still has vectors; the samples ask for one page each.
    expect(pinecone.server.asked.filter((one) => one === "GET /vectors/list").length).toBeLessThan(16);
    expect(pinecone.server.asked).not.toContain("POST /indexes/{index_name}/backups");
    for (const [name, held] of pinecone.namespaces) if (held.size === 0) pinecone.namespaces.delete(name);
    const into = await recovered(context, second.id);
    for (const [name, held] of into.namespaces) if (held.size === 0) into.namespaces.delete(name);
    expect(into.namespaces).toEqual(pinecone.namespaces);
    expect((await verifyVectors(context, second)).ok).toBe(true);
    expect((await recovered(context, base.id)).namespaces.get("")?.size).toBe(90);
  });

  it("reads everything each time where nothing says when a vector was written", async () => {
    const context = await contextOf("");
    const first = recordOf(await backUpVectors(context));
    now = new Date(now.getTime() + 300_000);
    const second = recordOf(await backUpVectors(context));
    expect([first.details["put"], second.details["put"], needs(second)]).toEqual([130, 130, []]);
  });

  it("refuses an index that holds vectors, and replaces them when it is told to", async () => {
    const context = await contextOf();
    await backUpVectors(context);
    putVectors(pinecone, "later", 0, 5, seconds());
    await expect(recoverVectors(context, { backup: "latest" })).rejects.toMatchObject({ kind: "refused" });
    await recoverVectors(context, { backup: "latest", force: true });
    expect([...pinecone.namespaces].map(([name, held]) => [name, held.size])).toEqual([["", 90], ["agent 1/é", 30], ["untouched", 10], ["later", 0]]);
  });

  it("waits where Pinecone is busy, and fails in words where it refuses", async () => {
    const context = await contextOf();
    let busy = 3;
    pinecone.server.fault = (operation) => (operation === "GET /vectors/fetch" && busy-- > 0 ? 429 : undefined);
    expect((await backUpVectors(context)).done).toBe(true);
    pinecone.server.fault = (operation) => (operation === "GET /vectors/list" ? 403 : undefined);
    await expect(backUpVectors(context, { full: true })).rejects.toThrow(/Pinecone answered 403/);
    pinecone.server.fault = () => undefined;
    pinecone.exists = false;
    await expect(backUpVectors(context)).rejects.toThrow(/no index of this name/);
  });
});

describe("vectors in Pinecone that agents are held against", () => {
  it("are some of each namespace, which is the agent where no field names it; and the ids that are asked for, as far as they are there", async () => {
    const provider = await openProvider(await contextOf());
    opened.push(provider);
    const sampled = await provider.sample({ collections: ["agent 1/é", "untouched"] });
    expect([...new Set(sampled.map(({ agent, collection }) => `${collection}: ${agent ?? "nobody"}`))].sort()).toEqual(["agent 1/é: agent 1/é", "untouched: untouched"]);
    expect(Map.groupBy(sampled, ({ collection }) => collection).get("untouched")).toHaveLength(10);
    expect(new Set((await provider.sample({ agentField: "no such field" })).map(({ agent }) => agent))).toEqual(new Set([undefined]));
    const [one] = sampled;
    expect(await provider.present(one?.collection ?? "", [one?.id ?? "", "not there"])).toEqual(new Set([one?.id]));
  });
});
