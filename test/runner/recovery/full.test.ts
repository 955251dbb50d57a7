import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { alone, Journal } from "../../../runner/recovery/full/journal.ts";
import { fullRecoveryPlan, renderFullPlan } from "../../../runner/recovery/full/plan.ts";
import { chooseSources, type SourceQuery } from "../../../runner/recovery/full/sources.ts";
import { holderOf } from "../../../runner/system/lock-file.ts";
import { isRoot } from "../../../runner/system/user.ts";
import { copyFailed, record } from "../records.ts";
import { part, point, pointRecord } from "../recovery-point/points.ts";

const [monday, tuesday] = ["2026-11-23T02:00:00.000Z", "2026-11-24T02:00:00.000Z"] as const;
const now = new Date("2026-11-24T12:00:00.000Z");
const query: SourceQuery = { now, newestPerStore: false, without: [] };

describe("the sources of a recovery of the whole system", () => {
  it("are the parts of the newest recovery point in the order of the runbook, PostgreSQL by its restore point", () => {
    const whole = point(tuesday, { parts: [...point(tuesday).parts, part("vectors", tuesday), part("vault", tuesday)] });
    const { point: id, stores } = chooseSources([pointRecord(monday), pointRecord(tuesday, whole)], query);
    expect(id).toBe(pointRecord(tuesday, whole).id);
    expect(stores.map(({ store, restorePoint }) => `${store} ${restorePoint ?? "as it is"}`)).toEqual(["vault as it is", "postgres point", "redis as it is", "vectors as it is"]);
  });

  it("name beside a recovery point what has a rhythm of its own, and how it is recovered", () => {
    const beside = [{ store: "configuration", backup: "configuration-1", reachesTo: monday }];
    expect(chooseSources([pointRecord(tuesday, point(tuesday, { beside }))], query).notes).toEqual([`beside it, configuration as of ${monday}: \`dr recover config configuration-1 --into DIR\``]);
    const records = [record("redis", "snapshot", monday), record("metrics", "snapshot", monday), record("metrics", "snapshot", tuesday, { copies: [copyFailed("r2")] }), record("metrics", "block", tuesday)];
    expect(chooseSources(records, { ...query, newestPerStore: true }).notes[0]).toContain(`dr recover metrics ${records[1]?.id ?? ""} --into`);
  });

  it("leave out what is told to be left out, and refuse to recover nothing", () => {
    expect(chooseSources([pointRecord(monday)], { ...query, without: ["redis"] }).stores.map(({ store }) => store)).toEqual(["postgres"]);
    expect(() => chooseSources([pointRecord(monday)], { ...query, without: ["redis", "postgres"] })).toThrow(/no backup of any store/);
  });

  it("are each store's own newest good backup where that is asked for, PostgreSQL to the archive's end", () => {
    const records = [record("redis", "snapshot", monday), record("redis", "snapshot", tuesday, { copies: [copyFailed("r2")] }), record("postgres", "full", monday)];
    const { point: id, stores, notes } = chooseSources(records, { ...query, newestPerStore: true });
    expect(id).toBeUndefined();
    expect(stores).toMatchObject([{ store: "postgres", backup: records[2]?.id }, { store: "redis", backup: records[0]?.id }]);
    expect(stores[0]?.reachesTo).toBeUndefined();
    expect(notes.join()).toMatch(/need not fit each other/);
    expect(() => chooseSources(records, { ...query, newestPerStore: true, at: now })).toThrow(/two different questions/);
  });
});

describe("the plan of a recovery of the whole system", () => {
  const input = {
    plan: blackroad, rates: blackroad.rates, now, tier: "warm" as const,
    sources: { point: "p", stores: [{ store: "postgres" as const, backup: "b", restorePoint: "p", reachesTo: tuesday, bytes: 1e9 }, { store: "redis" as const, backup: "r", reachesTo: tuesday, bytes: 1e8 }], notes: [] },
    config: { health: [], services: { url: "https://k", namespace: "n", deployments: [{ name: "api", replicas: 2 }] } },
    postgres: { estimate: 100, notes: ["from r2"] },
  };

  it("stops the services first, starts them after validation, and tells time, loss and the tier's objective", () => {
    const plan = fullRecoveryPlan(input);
    expect(plan.steps.map(({ name }) => name)).toEqual(["stop", "postgres", "redis", "validate", "services"]);
    expect(plan.steps[1]).toMatchObject({ estimate: 100, loss: 36_000 });
    expect(plan.estimate.total).toBeGreaterThan(100);
    expect(renderFullPlan(plan)).toMatch(/the warm tier allows 30 min/);
    expect(plan.notes).toEqual(["from r2", expect.stringContaining("health checks")]);
  });

  it("brings the infrastructure up first where there is nothing, and says where it cannot", () => {
    const infrastructure = { directory: "/srv/dr", stacks: ["global", "secondary"] };
    expect(fullRecoveryPlan({ ...input, tier: "cold", config: { ...input.config, infrastructure } }).steps[0]).toMatchObject({ name: "infrastructure", what: expect.stringContaining("global, secondary") as string });
    expect(fullRecoveryPlan({ ...input, tier: "cold" }).notes.join()).toMatch(/names no stacks/);
  });

  it("says loudly that an estimate is over the tier's time", () => {
    expect(renderFullPlan(fullRecoveryPlan({ ...input, postgres: { estimate: 7_200, notes: [] } }))).toContain("WHICH THE ESTIMATE EXCEEDS");
  });
});

describe("the journal of a recovery", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "journal-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const begin = () => Journal.begin(folder, { startedAt: monday, asked: "x", sources: { point: "p", stores: [], notes: [] } });

  it("knows after a kill what was done and what was broken off, and is no unfinished one when it is closed", async () => {
    const journal = await begin();
    await journal.begun("vault", new Date(monday));
    await journal.ended("vault", new Date(Date.parse(monday) + 2_500), { result: "unsealed" });
    await journal.begun("postgres", now);
    const found = await Journal.read(folder);
    expect(found?.stepOf("vault")).toMatchObject({ seconds: 2.5, result: "unsealed" });
    expect(found?.stepOf("postgres")).toEqual({ name: "postgres", startedAt: now.toISOString() });
    const path = await journal.close();
    expect(await Journal.read(folder)).toBeUndefined();
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ asked: "x" });
  });

  it("is an error in words where it was cut in half", async () => {
    await begin();
    const path = join(folder, "recovery.json");
    await writeFile(path, (await readFile(path, "utf8")).slice(0, 40));
    await expect(Journal.read(folder)).rejects.toThrow(/the journal of an earlier recovery is damaged/);
  });

  it("is put aside as a document where another one begins in its place", async () => {
    await begin();
    await Journal.abandon(folder, now);
    expect(await Journal.read(folder)).toBeUndefined();
    expect(await readdir(folder)).toEqual(["recovery-abandoned-20261124T120000000Z.json"]);
    await Journal.abandon(folder, now); // there is none: nothing to do
  });

  it.runIf(isRoot())("lets the database's user pass through the folder, and changes none that is in use", async () => {
    await alone(folder, async () => expect((await stat(folder)).mode & 0o777).toBe(0o711));
    await chmod(folder, 0o700);
    await writeFile(join(folder, "of somebody"), "");
    await expect(alone(folder, () => Promise.resolve())).rejects.toMatchObject({ kind: "usage", message: expect.stringMatching(/only its owner may pass/) as string });
    await chmod(folder, 0o1777);
    await alone(folder, async () => expect((await stat(folder)).mode & 0o7777).toBe(0o1777));
  });

  it("lets one work at a time, and takes the place of one that was killed", async () => {
    await chmod(folder, 0o755);
    await writeFile(join(folder, "recovery.lock"), await holderOf(1));
    await expect(alone(folder, () => Promise.resolve())).rejects.toThrow(/another recovery works here \(process 1\)/);
    // Its number is another process's by now, or nobody's.
    for (const stale of ["1 99999999999999", "4194304 1", ""]) {
      await writeFile(join(folder, "recovery.lock"), stale);
      expect(await alone(folder, () => Promise.resolve("done"))).toBe("done");
    }
  });
});
