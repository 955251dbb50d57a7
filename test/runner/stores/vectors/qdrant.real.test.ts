import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { needs } from "../../../../runner/catalog/needs.ts";
import { backUpVectors, type VectorsBackup } from "../../../../runner/stores/vectors/back-up.ts";
import { planVectorsRecovery, recoverVectors } from "../../../../runner/stores/vectors/recover.ts";
import { verifyVectors } from "../../../../runner/stores/vectors/verify.ts";
import { vectorsWatermark } from "../../../../runner/stores/vectors/watermark.ts";
import { lookUpProgram } from "../../../../runner/system/programs.ts";
import { testContext, type TestContext } from "../../../harness/context.ts";
import { fillReplay, replayKey, startQdrantReplay, type QdrantReplay } from "../../../harness/qdrant-replay.ts";
import { temporaryFolder } from "../../../harness/temporary.ts";

/** The interface's own description holds each question and answer; no Qdrant is in it. */
const points = 700;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let qdrant: QdrantReplay;
let keyFile: string;
let now: Date;
const opened: { close(): void | Promise<void> }[] = [];

const contextOf = async (name = "run", more: Partial<Parameters<typeof testContext>[0]> = {}, nodes = qdrant.nodes.map(({ url }) => url)): Promise<TestContext> => {
  const context = await testContext({ folder: join(folder.path, name), clock: { now: () => now }, ...more, config: { vectors: { kind: "qdrant", nodes, apiKeyFile: keyFile } } });
  opened.push(context);
  return context;
};
const recordOf = (backup: VectorsBackup) => {
  if (!backup.done) throw new Error(backup.why);
  return backup.record;
};
const targetOf = async (count: number) => {
  const server = await startQdrantReplay(count);
  opened.push(server);
  return { server, target: { kind: "qdrant" as const, nodes: server.nodes.map(({ url }) => url), apiKeyFile: keyFile } };
};

beforeEach(async () => {
  folder = await temporaryFolder("vectors");
  keyFile = join(folder.path, "key");
  await writeFile(keyFile, `${replayKey}\n`);
  now = new Date();
  qdrant = await startQdrantReplay(2);
  fillReplay(qdrant, "memory", 0, points);
  fillReplay(qdrant, "docs/é", 0, 20);
  qdrant.aliases.set("current", "memory");
});
afterEach(async () => {
  expect(qdrant.broken()).toEqual([]);
  await qdrant.close();
  for (const one of opened.splice(0)) await one.close();
  await folder.remove();
});

describe("a backup of Qdrant", () => {
  it("holds every collection of every node, leaves nothing on the servers, and comes back as it was", async () => {
    const context = await contextOf();
    const record = recordOf(await backUpVectors(context));
    expect(record).toMatchObject({ store: "vectors", kind: "snapshot", details: { provider: "qdrant", points: points + 20, base: record.id, leftOnServer: [] } });
    expect(record.copies.map(({ status }) => status)).toEqual(["ok", "ok"]);
    expect(needs(record)).toEqual([]);
    for (const node of [0, 1]) for (const name of ["memory", "docs/é"]) expect(qdrant.snapshots(node, name)).toEqual([]);
    const { server, target } = await targetOf(2);
    const plan = await planVectorsRecovery(context, { backup: "latest", target });
    expect(plan).toMatchObject({ backup: record.id, points: points + 20, holds: [] });
    expect(server.collections.size).toBe(0);
    await recoverVectors(context, { backup: "latest", target });
    expect(server.collections).toEqual(qdrant.collections);
    expect([...server.aliases]).toEqual([["current", "memory"]]);
    expect(server.nodes[0]?.asked.at(-1)).toBe("POST /collections/aliases");
    expect(server.broken()).toEqual([]);
    await expect(recoverVectors(context, { backup: "latest", target })).rejects.toMatchObject({ kind: "refused", message: expect.stringContaining("not empty") as string });
    await recoverVectors(context, { backup: "latest", target, force: true });
    expect(await vectorsWatermark(context)).toMatchObject({ provider: "qdrant", points: points + 20 });
  });

  it("stores what changed alone, carries deletions, names what it needs, and is full again when its chain is long", async () => {
    const context = await contextOf();
    const first = recordOf(await backUpVectors(context, { schedule: "postgres-full", full: true }));
    now = new Date(now.getTime() + 300_000);
    fillReplay(qdrant, "memory", points, points + 3);
    qdrant.collections.get("memory")?.delete(5);
    qdrant.collections.delete("docs/é");
    const second = recordOf(await backUpVectors(context));
    expect(needs(second)).toEqual([first.id]);
    expect(second.details).toMatchObject({ base: first.id });
    const stored = (record: typeof first) => Number(record.details["storedBytes"]);
    expect(stored(second)).toBeLessThan(stored(first) / 2);
    const { server, target } = await targetOf(2);
    await recoverVectors(context, { backup: second.id, target });
    expect(server.collections).toEqual(qdrant.collections);
    expect(server.collections.get("memory")?.has(5)).toBe(false);
    now = new Date(now.getTime() + 49 * 3_600_000);
    const later = recordOf(await backUpVectors(context));
    expect([needs(later), later.details["base"]]).toEqual([[], later.id]);
  });

  it("is verified copy by copy: a flipped byte is found in the one, and the other serves the recovery", async () => {
    const context = await contextOf();
    const record = recordOf(await backUpVectors(context));
    const pack = record.objects.find(({ key }) => key.includes("/pack-"))?.key ?? "";
    const [r2] = context.backends;
    const bytes = (await r2?.read(pack)) ?? Buffer.alloc(0);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    await r2?.put(pack, bytes);
    if ((await lookUpProgram("qdrant")) === undefined) {
      const { copies } = await verifyVectors(context, record);
      expect(copies.map(({ backend, ok }) => [backend, ok])).toEqual([["r2", false], ["s3", true]]);
      expect(copies[0]?.errors.join()).toContain(pack);
      expect(copies[1]?.checks.map(({ name }) => name).join()).toMatch(/byte for byte.*not restored: there is no qdrant/);
    }
    const { server, target } = await targetOf(1);
    const { rejected } = await recoverVectors(context, { backup: record.id, target });
    expect(rejected).toMatchObject([{ backend: "r2", error: expect.stringContaining(pack) as string }]);
    expect(server.collections.get("memory")?.size).toBe(points);
  });

  it("opens with its own passphrase alone", async () => {
    const record = recordOf(await backUpVectors(await contextOf()));
    const other = await contextOf("run", { passphrase: "another one" });
    const { server, target } = await targetOf(2);
    await expect(recoverVectors(other, { backup: record.id, target })).rejects.toThrow(/passphrase/);
    expect(server.collections.size).toBe(0);
  });

  it("goes into as many nodes as it came from, or into one", async () => {
    const context = await contextOf();
    await backUpVectors(context);
    const { target } = await targetOf(3);
    await expect(recoverVectors(context, { backup: "latest", target })).rejects.toMatchObject({ kind: "usage", message: expect.stringContaining("2 nodes were backed up and 3 are given") as string });
  });

  it("of an empty standby is none, and one that is suddenly empty is no good one", async () => {
    const context = await contextOf();
    await backUpVectors(context);
    qdrant.collections.clear();
    expect(await backUpVectors(context, { leaderOnly: true })).toMatchObject({ done: false });
    now = new Date(now.getTime() + 300_000);
    await expect(backUpVectors(context)).rejects.toThrow(/suspicious: it holds 0 vectors/);
    expect((await context.catalog.find("latest", { store: "vectors" })).details["points"]).toBe(points + 20);
  });
});

describe("a backup of Qdrant under faults", () => {
  const objectsIn = async (context: TestContext) => {
    const keys: string[] = [];
    for (const backend of context.backends) for await (const { key } of backend.list("vectors/")) if (!key.endsWith("/attempt.pgp")) keys.push(key);
    return keys;
  };

  it.each([
    ["a node that answers 500", 500, /500/],
    ["a refused key", 403, /403/],
    ["a body that breaks off", "cut", /broke off after \d+ of \d+ bytes/],
  ] as const)("fails in words with %s, leaves no objects and no snapshots, and the next one succeeds", async (_, fault, message) => {
    const context = await contextOf();
    const [, second] = qdrant.nodes;
    if (second === undefined) throw new Error("two nodes");
    second.fault = (operation) => (operation === "GET /collections/{collection_name}/snapshots/{snapshot_name}" ? fault : undefined);
    await expect(backUpVectors(context)).rejects.toThrow(message);
    expect(await objectsIn(context)).toEqual([]);
    for (const node of [0, 1]) expect(qdrant.snapshots(node, "memory")).toEqual([]);
    const { records } = await context.catalog.list({ store: "vectors" });
    expect(records.map(({ copies }) => copies.map(({ status }) => status))).toEqual([["failed", "failed"]]);
    second.fault = () => undefined;
    expect((await backUpVectors(context)).done).toBe(true);
  });

  it("is refused where a node is down that alone has a shard, and where a member is not named", async () => {
    const context = await contextOf();
    const [first, second] = qdrant.nodes;
    if (second === undefined) throw new Error("two nodes");
    second.fault = () => "drop";
    await expect(backUpVectors(context)).rejects.toThrow(/1 of the 2 shards of docs\/é can be read nowhere, as nodes are down/);
    second.fault = () => undefined;
    await expect(backUpVectors(await contextOf("run", {}, [first?.url ?? ""]))).rejects.toThrow(/the cluster has 2 members and 1 are named/);
    await expect(backUpVectors(await contextOf("run", {}, [first?.url ?? "", first?.url ?? ""]))).rejects.toThrow(/two of the addresses lead to one node/);
  });

  it("leaves out a collection that is deleted between the list and its snapshot, and says so", async () => {
    const context = await contextOf();
    qdrant.onSnapshot = () => void qdrant.collections.delete("memory");
    const record = recordOf(await backUpVectors(context));
    expect(record.details).toMatchObject({ vanished: ["memory"], points: 20 });
  });

  it("deletes what a killed run left, but neither an operator's snapshot nor that of a run that may be alive", async () => {
    const context = await contextOf();
    qdrant.addSnapshot(0, "memory", "operators-own", new Date(now.getTime() - 3_600_000));
    // As SIGKILL ends it: the attempt is announced, the snapshot is made, and nothing cleans up behind it.
    const [first] = qdrant.nodes;
    if (first === undefined) throw new Error("a node");
    const killed = new AbortController();
    const victim = await contextOf("run", { signal: killed.signal });
    qdrant.onSnapshot = () => killed.abort(new Error("killed"));
    for (const node of qdrant.nodes) node.fault = (operation) => (operation.startsWith("DELETE") ? "drop" : undefined);
    await expect(backUpVectors(victim)).rejects.toThrow();
    for (const node of qdrant.nodes) node.fault = () => undefined;
    qdrant.onSnapshot = () => undefined;
    const left = [...qdrant.snapshots(0, "docs/é"), ...qdrant.snapshots(1, "docs/é")];
    expect(left.length).toBeGreaterThan(0);
    await backUpVectors(context);
    expect([...qdrant.snapshots(0, "docs/é"), ...qdrant.snapshots(1, "docs/é")]).toEqual(left); // it may still run
    now = new Date(now.getTime() + 300_000);
    const record = recordOf(await backUpVectors(context));
    expect(record.details["swept"]).toEqual(expect.arrayContaining(left));
    expect([...qdrant.snapshots(0, "docs/é"), ...qdrant.snapshots(1, "docs/é")]).toEqual([]);
    expect(qdrant.snapshots(0, "memory")).toEqual(["operators-own"]);
  });

  it("stands in one backend where the other refuses, and the next one brings the other what it lacks", async () => {
    let refuse = true;
    const context = await contextOf("run", {
      wrap: (backend) => {
        if (backend.name === "r2") {
          const put = backend.put.bind(backend);
          backend.put = (...asked) => (refuse ? Promise.reject(new Error("refused by the test")) : put(...asked));
        }
        return backend;
      },
    });
    const first = await backUpVectors(context, { schedule: "postgres-full" });
    expect(first).toMatchObject({ outcome: "partial" });
    refuse = false;
    now = new Date(now.getTime() + 300_000);
    const second = await backUpVectors(context);
    expect(second).toMatchObject({ outcome: "ok" });
    const { copies } = await verifyVectors(context, recordOf(second));
    if ((await lookUpProgram("qdrant")) === undefined) expect(copies.map(({ ok }) => ok)).toEqual([true, true]);
  });

  it("may be made twice at once", async () => {
    const context = await contextOf();
    const records = (await Promise.all([backUpVectors(context), backUpVectors(context)])).map(recordOf);
    for (const { id } of records) {
      const { server, target } = await targetOf(2);
      await recoverVectors(context, { backup: id, target });
      expect(server.collections.get("memory")?.size).toBe(points);
    }
  });
});
