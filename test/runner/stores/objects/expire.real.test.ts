import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { S3Server } from "../../../../drill/environments/servers/s3.ts";
import { blackroad } from "../../../../plan/blackroad.ts";
import type { Plan } from "../../../../plan/types.ts";
import { seconds } from "../../../../plan/units.ts";
import type { BackupRecord } from "../../../../runner/catalog/record.ts";
import { expire } from "../../../../runner/retention/expire.ts";
import { takeLease } from "../../../../runner/retention/lease.ts";
import { backUpObjects } from "../../../../runner/stores/objects/back-up.ts";
import { openIndex } from "../../../../runner/stores/objects/index.ts";
import { folders } from "../../../../runner/stores/objects/keys.ts";
import { recoverObjects } from "../../../../runner/stores/objects/recover.ts";
import { verifyObjects } from "../../../../runner/stores/objects/verify.ts";
import { lookUpProgram } from "../../../../runner/system/programs.ts";
import type { TestContext } from "../../../harness/context.ts";
import { s3Installed } from "../../../harness/s3.ts";
import { Stores } from "../../../harness/stores.ts";
import { makePair, type Pair } from "./fixture.ts";

const possible = s3Installed && (await lookUpProgram("rclone")) !== undefined;
/** Kept for a second, and for the hour that a clock may be wrong: within what an expiry believes of this machine's clock. */
const plan: Plan = { ...blackroad, schedules: blackroad.schedules.map((schedule) => (schedule.name === "objects-sync" ? { ...schedule, retention: seconds(1) } : schedule)) };
let stores: Stores;
const servers = new Map<string, S3Server>();
const opened: { close(): void }[] = [];

beforeAll(async () => {
  stores = await Stores.open();
  servers.set("r2", await stores.s3("r2"));
  servers.set("versioned", await stores.s3("versioned", { versioned: true }));
  servers.set("without versions", await stores.s3("plain"));
});
afterEach(() => opened.splice(0).forEach((one) => one.close()));
afterAll(() => stores.close());

const serverOf = (name: string): S3Server => servers.get(name) ?? expect.unreachable();

async function keysUnder({ target }: Pair, folder: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of target.list(folder)) keys.push(key.slice(folder.length));
  return keys;
}

describe.skipIf(!possible).each(["versioned", "without versions"] as const)("the copy of the objects in a bucket that is %s (needs versitygw and rclone)", (kind) => {
  it("is rid of what no kept state needs, and of nothing else", async () => {
    const pair = await makePair(stores, serverOf("r2"), serverOf(kind));
    opened.push(pair);
    /** At so many minutes from now: the oldest and the newest are no more than an hour from the store's clock. */
    const at = async (minutes: number): Promise<TestContext> => {
      const context = await pair.run({ plan, clock: { now: () => new Date(Date.now() + minutes * 60_000) } });
      opened.push(context);
      return context;
    };
    const made: BackupRecord[] = [];
    const backUp = async (minutes: number, full = true) => made.push((await backUpObjects(await at(minutes), { full })).record);
    await pair.put({ kept: "k", overwritten: "old", deleted: "d", "back again": "b" });
    await backUp(-50);
    await pair.put({ overwritten: "new" });
    await pair.remove("deleted", "back again");
    await backUp(-49);
    await pair.put({ overwritten: "newer", "back again": "B" });
    await backUp(-48);
    await backUp(45);
    await pair.put({ overwritten: "newest" });
    await pair.remove("kept");
    await backUp(46, false);

    const context = await at(50);
    const before = { data: await keysUnder(pair, folders.data), history: await keysUnder(pair, folders.history) };
    expect(before.data).toEqual(["back again", "deleted", "kept", "overwritten"]);
    const planned = await expire(context, { dryRun: true });
    expect(await keysUnder(pair, folders.data)).toEqual(before.data);
    const recovery = await takeLease(context, { purpose: "recovery", what: "dr recover objects" });
    expect(await expire(context)).toMatchObject({ outcome: "paused" });
    await recovery.release();
    const done = await expire(context);
    expect(done).toMatchObject({ outcome: "ok", problems: [], records: made.slice(0, 3).map(({ id }) => id), freed: planned.freed });
    // Deleted before the oldest kept state; "kept" is deleted since, and stays.
    expect(await keysUnder(pair, folders.data)).toEqual(["back again", "kept", "overwritten"]);
    const run = (place: number): string => made[place]?.id ?? "";
    if (kind === "without versions") {
      expect(before.history.map((key) => key.split("/")[0])).toEqual([run(0), run(0), run(1), run(2)]);
      expect((await keysUnder(pair, folders.history)).map((key) => key.split("/")[0])).toEqual([run(2)]);
    }
    expect(await keysUnder(pair, folders.base)).toEqual([2, 3].map((place) => `${run(place)}.jsonl.gz`)); // what is needed, and one more
    expect((await keysUnder(pair, folders.changes)).map((key) => key.split("/")[0])).toEqual([run(4)]);
    expect((await expire(context)).freed).toEqual({ s3: { objects: 0, bytes: 0 } });

    // Both states that are kept are whole.
    for (const record of made.slice(3)) expect((await verifyObjects(context, record)).copies.flatMap(({ errors }) => errors)).toEqual([]);
    await recoverObjects(context, { backup: run(3), force: true });
    expect(await pair.contents()).toEqual({ kept: "k", overwritten: "newer", "back again": "B" });

    await backUp(51);
    const state = await openIndex(pair.target, { folder: pair.folder, signal: context.signal });
    const names: string[] = [];
    for await (const { key } of state.entries()) names.push(key);
    expect(names).toEqual(["back again", "kept", "overwritten"]);
  });
});
