import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLedger, readLedger } from "../../../drill/workload/ledger.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ledger-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("the ledger", () => {
  it("gives back what was appended, by kind and in order", async () => {
    const path = join(folder, "ledger.jsonl");
    const ledger = await openLedger(path);
    await ledger.append({ kind: "ack", store: "postgres", tick: 1, at: 10, lsn: "0/1" });
    await ledger.append({ kind: "lag", at: 12, tick: 1, seconds: 0.002, unsure: 0.001 });
    await ledger.append({ kind: "ack", store: "redis", tick: 1, at: 11, reflects: 1 });
    await ledger.append({ kind: "interrupted", store: "postgres", at: 13, error: "gone" });
    await ledger.append({ kind: "resumed", store: "postgres", at: 20, found: 1, acknowledged: 1, server: "b1" });
    await ledger.close();
    const read = await readLedger(path);
    expect(read.acknowledged.postgres.map(({ tick }) => tick)).toEqual([1]);
    expect(read.acknowledged.redis[0]?.reflects).toBe(1);
    expect(read.lags).toHaveLength(1);
    expect(read.interruptions[0]?.error).toBe("gone");
    expect(read.resumptions[0]?.server).toBe("b1");
  });

  it("has an entry on the disk when append resolves, also where many come at once", async () => {
    const path = join(folder, "ledger.jsonl");
    const ledger = await openLedger(path);
    await Promise.all(Array.from({ length: 500 }, (_, index) => ledger.append({ kind: "ack", store: "postgres", tick: index + 1, at: index })));
    const { acknowledged } = await readLedger(path); // not closed yet
    expect(acknowledged.postgres.map(({ tick }) => tick)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    await ledger.close();
  });

  it("goes on where an earlier writer stopped", async () => {
    const path = join(folder, "ledger.jsonl");
    for (const tick of [1, 2]) {
      const ledger = await openLedger(path);
      await ledger.append({ kind: "ack", store: "redis", tick, at: tick });
      await ledger.close();
    }
    expect((await readLedger(path)).acknowledged.redis).toHaveLength(2);
  });

  it("leaves out a last line that was cut: it was never acknowledged as recorded", async () => {
    const path = join(folder, "ledger.jsonl");
    await writeFile(path, '{"kind":"ack","store":"postgres","tick":1,"at":10}\n{"kind":"ack","store":"postg');
    expect((await readLedger(path)).acknowledged.postgres).toHaveLength(1);
  });

  it("refuses a damaged line in the middle, and says where it is", async () => {
    const path = join(folder, "ledger.jsonl");
    await writeFile(path, '{"kind":"ack","store":"postgres","tick":1,"at":10}\nnonsense\n{"kind":"lag","at":1,"tick":1,"seconds":0}\n');
    await expect(readLedger(path)).rejects.toThrow(/ledger\.jsonl:2/);
    await appendFile(path, "");
    expect(await readFile(path, "utf8")).toContain("nonsense"); // reading changes nothing
  });
});
