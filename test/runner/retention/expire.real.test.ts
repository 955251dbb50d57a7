import { spawnSync } from "node:child_process";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { registerExpire } from "../../../cli/commands/expire.ts";
import { protectFromExpiry } from "../../../cli/lease.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { days, hours, minutes } from "../../../plan/units.ts";
import { expiryOf } from "../../../runner/backup-record.ts";
import type { BackupRecord } from "../../../runner/catalog/record.ts";
import { catalogFacts } from "../../../runner/metrics/facts.ts";
import { expire } from "../../../runner/retention/expire.ts";
import { describeLease, readLeases, takeLease } from "../../../runner/retention/lease.ts";
import { pauseExpiry, resumeExpiry } from "../../../runner/retention/pause.ts";
import { beginRecovery, recoveryStanding } from "../../../runner/retention/recovery-lease.ts";
import { S3Backend } from "../../../runner/storage/s3.ts";
import { writeDurably } from "../../../runner/system/files.ts";
import { runCommand } from "../../cli/run-command.ts";
import { testContext, type TestContext } from "../../harness/context.ts";
import { s3Installed, startTestS3 } from "../../harness/s3.ts";
import { temporaryFolder } from "../../harness/temporary.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const folder = await temporaryFolder("expire");
const noon = Date.parse("2026-11-22T12:00:00.000Z");
/** Seconds that have passed since noon. */
let passed = 0;
const clock = { now: () => new Date(noon + passed * 1_000) };
let count = 0;
let context: TestContext;

beforeEach(async () => {
  passed = 0;
  count += 1;
  context = await testContext({ folder: join(folder.path, `run-${count}`), clock });
});
afterAll(() => folder.remove());

/** A checkpoint so many seconds before noon, with its two objects in every backend. */
async function checkpoint(secondsAgo: number, more: Partial<BackupRecord> = {}, into = context): Promise<BackupRecord> {
  const startedAt = new Date(noon - secondsAgo * 1_000);
  const plain = record("agents", "checkpoint", startedAt.toISOString(), { expiresAt: expiryOf(blackroad, "agents-checkpoint", startedAt), ...more });
  const made = { ...plain, objects: ["blocks.pgp", "index.pgp"].map((name) => ({ key: `agents/${plain.id}/${name}`, bytes: 4, sha256: "0" })) };
  await into.catalog.write(made);
  for (const backend of into.backends) for (const { key } of made.objects) await backend.put(key, Buffer.from("data"));
  return made;
}

async function keysIn(name: string, prefix: string, of = context): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of of.backends.find((backend) => backend.name === name)?.list(prefix) ?? []) keys.push(key);
  return keys;
}
const ids = async (store = "agents"): Promise<string[]> => (await context.catalog.list({ store })).records.map(({ id }) => id);
const pathOf = (name: string): string => {
  const found = context.config.backends.find((backend) => backend.name === name);
  return found?.kind === "folder" ? found.path : "";
};
/** Every object belongs to a record that names it. */
async function expectNothingUnlisted(): Promise<void> {
  const { records } = await context.catalog.list();
  const named = new Set(records.flatMap(({ objects }) => objects.map(({ key }) => key)));
  for (const name of ["r2", "s3"]) expect((await keysIn(name, "agents/")).filter((key) => !named.has(key)), name).toEqual([]);
}

describe("dr expire", () => {
  it("R5: removes checkpoints after 24 h, their records when R2 lets go of them, and none before", async () => {
    const [old, young] = [await checkpoint(hours(20)), await checkpoint(60)];
    passed = hours(4) + minutes(59); // 24 h 59 min old: an hour more than promised, for clocks that are wrong
    expect(await expire(context)).toMatchObject({ outcome: "ok", records: [], waiting: 0, freed: { r2: { objects: 0 } } });
    passed = hours(5) + minutes(1);
    expect(await expire(context)).toMatchObject({ outcome: "ok", records: [], waiting: 1, freed: { r2: { objects: 2, bytes: 8 }, s3: { objects: 2, bytes: 8 } } });
    expect(await keysIn("r2", "agents/")).toEqual(young.objects.map(({ key }) => key));
    expect(await ids()).toEqual([old.id, young.id]);
    passed = days(7);
    expect(await expire(context)).toMatchObject({ records: [old.id], waiting: 0, freed: { r2: { objects: 0 } } });
    expect(await ids()).toEqual([young.id]);
  });

  it("says what it would do, and does nothing, in a dry run, also where it may only read", async () => {
    const old = await checkpoint(days(9));
    await checkpoint(60);
    const reader = { ...context, config: { ...context.config, readOnly: true } };
    expect(await expire(reader, { dryRun: true })).toMatchObject({ outcome: "dry-run", records: [old.id], freed: { s3: { objects: 2 } } });
    expect(await ids()).toHaveLength(2);
    expect(await keysIn("s3", "leases/")).toEqual([]);
    await expect(expire(reader)).rejects.toThrow(/may only read/);
  });

  it("leaves the copy in a backend that is down, and removes it when that is back", async () => {
    const old = await checkpoint(days(9));
    await checkpoint(60);
    await rename(pathOf("s3"), `${pathOf("s3")}.away`);
    const first = await expire(context);
    expect(first).toMatchObject({ outcome: "partial", records: [], waiting: 1, freed: { r2: { objects: 2 } } });
    expect(first.problems.join()).toContain("s3");
    await rename(`${pathOf("s3")}.away`, pathOf("s3"));
    expect(await ids()).toContain(old.id);
    expect(await expire(context)).toMatchObject({ outcome: "ok", records: [old.id], freed: { r2: { objects: 0 }, s3: { objects: 2 } } });
    expect(await ids()).toHaveLength(1);
  });

  it("never deletes a record that it cannot read, nor that one's objects", async () => {
    const old = await checkpoint(days(9));
    await checkpoint(60);
    for (const name of ["r2", "s3"]) await writeDurably(join(pathOf(name), "catalog", "agents", `${old.id}.json`), "damaged");
    expect(await expire(context)).toMatchObject({ outcome: "partial", records: [] });
    expect(await keysIn("r2", "catalog/agents/")).toHaveLength(2);
    expect(await keysIn("s3", `agents/${old.id}/`)).toHaveLength(2);
  });

  it("keeps the record of what lies in an archive, which it cannot reach", async () => {
    const archived = await checkpoint(days(400), { copies: [copyOk("archive")] });
    await checkpoint(days(399), { copies: [copyOk("archive")] });
    await checkpoint(60);
    expect(await expire(context)).toMatchObject({ outcome: "ok", records: [], waiting: 1 });
    expect(await ids()).toContain(archived.id);
  });

  it("keeps what counted in the counters, over several runs", async () => {
    await checkpoint(days(10), { copies: [copyOk("r2"), copyFailed("s3")] });
    await checkpoint(days(9));
    await checkpoint(60);
    const totals = async () => catalogFacts(blackroad, (await context.catalog.list()).records, []).tally["agents-checkpoint"];
    const before = await totals();
    expect(before).toMatchObject({ runs: 3, succeeded: { r2: 3, s3: 2 } });
    expect((await expire(context)).records).toHaveLength(2);
    expect(await totals()).toEqual(before);
    await checkpoint(30);
    passed = days(20);
    expect((await expire(context)).records.length).toBeGreaterThan(0);
    expect(await totals()).toMatchObject({ runs: 4, succeeded: { r2: 4, s3: 3 } });
  });
});

describe("an expiry that is killed", () => {
  const program = `const { expireOnce } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../harness/expire-once.ts")).href)}); await expireOnce(process.argv[1], process.argv[2], Number(process.argv[3]));`;

  it.each([1, 3, 6, 9])("after %i removals leaves nothing unlisted, and the next one goes on", async (removals) => {
    for (const ago of [days(9), days(9) - 300]) await checkpoint(ago, { copies: [copyOk("r2"), copyFailed("s3")] });
    const young = await checkpoint(60);
    const before = catalogFacts(blackroad, (await context.catalog.list()).records, []).tally;
    const killed = spawnSync(process.execPath, ["--input-type=module", "-e", program, JSON.stringify(context.config), clock.now().toISOString(), String(removals)], { encoding: "utf8", timeout: 120_000 });
    expect(killed.signal, killed.stderr).toBe("SIGKILL");
    await expectNothingUnlisted();
    expect(catalogFacts(blackroad, (await context.catalog.list()).records, []).tally).toEqual(before);
    const next = await expire(context); // its lease is a dead process's, and holds nobody up
    expect(next.outcome).toBe("ok");
    expect(await ids()).toEqual([young.id]);
    expect(await keysIn("s3", "agents/")).toEqual(young.objects.map(({ key }) => key));
    expect(await keysIn("r2", "leases/")).toEqual([]);
    expect(catalogFacts(blackroad, (await context.catalog.list()).records, []).tally).toEqual(before);
  });
});

describe("leases", () => {
  it("keep everything from expiring while somebody recovers", async () => {
    await checkpoint(days(9));
    await checkpoint(60);
    const recovery = await beginRecovery(context, "dr recover redis");
    expect(recovery.backends).toEqual(["r2", "s3"]);
    const result = await expire(context);
    expect(result).toMatchObject({ outcome: "paused", records: [] });
    expect(result.pausedBy).toContain("a recovery (dr recover redis");
    expect(await recoveryStanding(context)).toMatchObject({ purpose: "recovery" });
    await recovery.release();
    expect(await expire(context)).toMatchObject({ outcome: "ok", freed: { r2: { objects: 2 } } });
    expect(await keysIn("r2", "leases/")).toEqual([]);
  });

  it("stop an expiry that is at work before its next request, and it goes on later", async () => {
    const old = [await checkpoint(days(9)), await checkpoint(days(9) - 300), await checkpoint(60)];
    let recovery: Promise<unknown> | undefined;
    const { backends } = context;
    const [r2] = backends;
    if (r2 === undefined) throw new RangeError("there are two backends");
    const list = r2.list.bind(r2);
    // Somebody begins to recover when the objects have been listed and none is removed yet.
    r2.list = async function* (prefix: string, after?: string) {
      yield* list(prefix, after);
      if (prefix === "agents/") recovery ??= takeLease(context, { purpose: "recovery", what: "dr recover full" });
      await recovery;
    };
    expect(await expire(context)).toMatchObject({ outcome: "paused" });
    expect(await keysIn("r2", "agents/")).toHaveLength(6);
    expect(await ids()).toEqual(old.map(({ id }) => id));
  });

  it("of one expiry keep another out, and two at once break nothing", async () => {
    await checkpoint(days(9));
    const young = await checkpoint(60);
    const other = await takeLease(context, { purpose: "expiry", what: "dr expire" });
    expect(await expire(context)).toMatchObject({ outcome: "paused" });
    await other.release();
    const both = await Promise.all([expire(context), expire(context)]);
    for (const { outcome } of both) expect(["ok", "paused"]).toContain(outcome);
    await expectNothingUnlisted();
    await expire(context);
    expect(await ids()).toEqual([young.id]);
  });

  it("hold an hour beyond their time, for a clock that is wrong, and no longer", async () => {
    await takeLease(context, { purpose: "pause", what: "test", until: hours(1) });
    passed = hours(1) + minutes(59);
    expect((await readLeases(context)).standing).toHaveLength(1);
    passed = hours(2) + 1;
    expect((await readLeases(context)).standing).toEqual([]);
    await expire(context);
    expect(await keysIn("s3", "leases/")).toEqual([]);
  });

  it("of a machine that cannot be asked are believed, of a dead process of this one not", async () => {
    const [r2] = context.backends;
    const lease = { version: 1, purpose: "recovery", what: "dr recover full", host: "elsewhere", pid: 1, startedAt: clock.now().toISOString(), until: new Date(noon + 60_000).toISOString() };
    await r2?.put("leases/recovery-0.json", Buffer.from(JSON.stringify(lease)));
    const [standing] = (await readLeases(context)).standing;
    expect(standing === undefined ? "" : describeLease(standing)).toContain("on elsewhere");
    const dead = spawnSync("/bin/true");
    await r2?.put("leases/recovery-0.json", Buffer.from(JSON.stringify({ ...lease, host: (await import("node:os")).hostname(), pid: dead.pid })));
    expect((await readLeases(context)).standing).toEqual([]);
    await r2?.put("leases/recovery-0.json", Buffer.from("{ half a le"));
    expect((await readLeases(context)).standing).toHaveLength(1);
  });

  it("are asked of the backends that answer: one that is down hides no recovery", async () => {
    await checkpoint(days(9));
    await checkpoint(60);
    const recovery = await beginRecovery(context, "dr recover redis");
    await rm(pathOf("r2"), { recursive: true });
    expect(await expire(context)).toMatchObject({ outcome: "paused" });
    expect((await readLeases(context)).unread).toMatchObject([{ backend: "r2" }]);
    await recovery.release();
  });

  it("cannot be taken by a run that may only read, which says who can instead", async () => {
    const reader = { ...context, config: { ...context.config, readOnly: true } };
    expect((await beginRecovery(reader, "dr recover redis")).backends).toEqual([]);
    expect(context.reports.at(-1)?.step).toContain("dr expire --pause");
    await checkpoint(days(9));
    await checkpoint(60);
    expect(await pauseExpiry(context, hours(4))).toMatchObject({ backends: ["r2", "s3"] });
    expect(await expire(context)).toMatchObject({ outcome: "paused" });
    expect(await resumeExpiry(context)).toEqual({ ended: 1 });
    expect(await expire(context)).toMatchObject({ outcome: "ok" });
  });
});

describe("the commands", () => {
  it("dr expire --pause, --dry-run, --resume, and nothing", async () => {
    await checkpoint(days(9));
    await checkpoint(60);
    expect((await runCommand(registerExpire, context, ["expire", "--pause", "4h"])).human).toBe("nothing expires until 2026-11-22T16:00:00.000Z; known in r2, s3");
    expect((await runCommand(registerExpire, context, ["expire"])).human).toContain("stopped by a pause");
    expect((await runCommand(registerExpire, context, ["expire", "--dry-run"])).human).toContain("r2: 2 objects would be removed");
    expect((await runCommand(registerExpire, context, ["expire", "--resume"])).human).toBe("backups expire again");
    expect((await runCommand(registerExpire, context, ["expire"])).human).toContain("1 records removed");
    for (const args of [["--pause", "soon"], ["--pause", "30d"], ["--dry-run", "--resume"]]) await expect(runCommand(registerExpire, context, ["expire", ...args])).rejects.toThrow();
  });

  it("dr recover holds a lease while it works, however it ends, and none in a dry run", async () => {
    const seen: number[] = [];
    const recover = (args: readonly string[]) => runCommand((program, cli) => {
      const parent = program.command("recover");
      protectFromExpiry(parent, cli);
      parent.command("thing").option("--dry-run", "", false).option("--fail", "", false).action(async ({ fail }: { readonly fail: boolean }) => {
        seen.push((await readLeases(context)).standing.length);
        if (fail) throw new Error("it failed");
      });
    }, context, ["recover", "thing", ...args]);
    await recover([]);
    await recover(["--dry-run"]);
    await expect(recover(["--fail"])).rejects.toThrow("it failed");
    expect(seen).toEqual([1, 0, 1]);
    expect(await keysIn("r2", "leases/")).toEqual([]);
  });
});

describe.skipIf(!s3Installed)("on real S3 servers (needs versitygw)", () => {
  it("expires, and refuses where this machine's clock is more than an hour off", async () => {
    const servers = await startTestS3(join(folder.path, "s3"));
    try {
      const backends = [servers.r2.backend, servers.s3.backend];
      const real = await testContext({ folder: join(folder.path, "on-s3"), config: { backends } });
      const offset = (Date.now() - noon) / 1_000;
      const old = await checkpoint(days(9) - offset, {}, real);
      await checkpoint(60 - offset, {}, real);
      for (const difference of [-2, 2]) {
        const wrong = { now: () => new Date(Date.now() + (difference * 3_600) * 1_000) };
        await expect(expire({ ...real, clock: wrong })).rejects.toThrow(/clock is (2 h|1 h 59 min).* (ahead of|behind)/);
      }
      expect(await expire(real)).toMatchObject({ outcome: "ok", records: [old.id], freed: { r2: { objects: 2 } } });
      await expire({ ...real, clock: { now: () => new Date(Date.now() + 50 * 60_000) } });
      expect(real.backends[0]).toBeInstanceOf(S3Backend);
      expect(await keysIn("r2", "agents/", real)).toHaveLength(2);
      real.close();
    } finally {
      await servers.kill();
    }
  });
});
