/**
 * `npm run faults`: kills each job of the runner with SIGKILL, at moments drawn from how long it takes, against real
 * servers, and looks after each kill and after the next run at what must hold (holds.ts). Prints the table of the steps
 * that were hit, and writes it to bench-reports/faults.md and, with every kill, to bench-reports/faults.json.
 * Ends with 1 where anything does not hold, and names it.
 *
 *   --times N      kills of each job (50)
 *   --store NAME   one of the stores, or several; default: all of them
 *   --seed N       draws the moments of an earlier run again (its own is printed)
 *   --minutes N    how long it may take: each job gets its share, and is killed less often where that is over first
 *   --report NAME  of the two files (faults)
 *   --at-once N    houses that are worked in at the same time (one for each processor)
 */
import { randomInt } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../../runner/errors.ts";
import { killAllChildren } from "../../runner/system/process.ts";
import { s3Installed } from "../harness/s3.ts";
import { houses, storeNames, type HouseEntry } from "./houses/all.ts";
import { openSite, type Site } from "./houses/site.ts";
import { ordealOf, type Ordeal } from "./ordeal.ts";
import { seeded } from "./random.ts";
import { breachesOf, tableOf } from "./table.ts";

const reports = resolve(import.meta.dirname, "..", "..", "bench-reports");
/** Runs that a job's duration is measured by. */
const measured = 3;

interface Wish {
  readonly times: number;
  readonly stores: readonly string[];
  readonly seed: number;
  readonly atOnce: number;
  /** By `performance.now()`. */
  readonly until: number;
  readonly report: string;
}

function readWish(): Wish {
  const { values } = parseArgs({ options: { times: { type: "string" }, store: { type: "string", multiple: true }, seed: { type: "string" }, minutes: { type: "string" }, report: { type: "string", default: "faults" }, "at-once": { type: "string" } } });
  const whole = (text: string | undefined, otherwise: number): number => {
    const value = text === undefined ? otherwise : Number(text);
    if (!Number.isInteger(value) || value < 0) throw new RangeError(`${text ?? ""} is no whole number`);
    return value;
  };
  const unknown = values.store?.find((name) => !storeNames.includes(name));
  if (unknown !== undefined) throw new RangeError(`no store is called ${unknown}; there are: ${storeNames.join(", ")}`);
  const until = values.minutes === undefined ? Infinity : performance.now() + whole(values.minutes, 0) * 60_000;
  return { report: values.report, until, times: whole(values.times, 50), stores: values.store ?? storeNames, seed: whole(values.seed, randomInt(2 ** 31)), atOnce: Math.max(1, whole(values["at-once"], availableParallelism())) };
}

/** A job's moments depend on the seed and its name alone, whatever runs beside it. */
const drawFor = (seed: number, job: string): (() => number) => seeded(Buffer.from(job).reduce((mixed, byte) => Math.imul(mixed ^ byte, 0x01000193), seed));

async function workIn(site: Site, entry: HouseEntry, { times, stores, seed, until }: Wish): Promise<Ordeal[]> {
  const house = await entry.open(site);
  const ordeals: Ordeal[] = [];
  try {
    const jobs = house.jobs.filter(({ store }) => stores.includes(store));
    for (const [place, job] of jobs.entries()) {
      const begun = performance.now();
      const share = (until - begun) / (jobs.length - place);
      const ordeal = await ordealOf(house, job, { times, until: begun + share, measured, next: "each", verify: true, random: drawFor(seed, job.name) }).catch((error: unknown): Ordeal => ({ store: job.store, job: job.name, seconds: [], hits: [], late: 0, breaches: [messageOf(error)] }));
      ordeals.push(ordeal);
      console.error(`faults: ${job.name}: killed ${ordeal.hits.length} times, ${breachesOf([ordeal]).length} breaches, ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
      for (const breach of breachesOf([ordeal])) console.error(`faults:   ${breach}`);
    }
    return ordeals;
  } finally {
    await house.close();
  }
}

async function main(): Promise<number> {
  const wish = readWish();
  if (!s3Installed) throw new Error("the S3 server (versitygw) is not here: scripts/setup says why");
  console.error(`faults: seed ${wish.seed}, ${wish.times} kills of each job`);
  const wanted = houses.filter(({ stores }) => stores.some((store) => wish.stores.includes(store)));
  const skipped = wanted.filter(({ lacks }) => lacks.length > 0).map(({ name, lacks }) => `${name} was left out: this machine has no ${lacks.join(", ")}`);
  const site = await openSite();
  const done = new Map<string, Ordeal[]>();
  try {
    const queue = wanted.filter(({ lacks }) => lacks.length === 0);
    const worker = async (): Promise<void> => {
      for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
        const turns = Math.ceil((queue.length + 1) / wish.atOnce);
        const now = performance.now();
        done.set(entry.name, await workIn(site, entry, { ...wish, until: now + (wish.until - now) / turns }));
      }
    };
    await Promise.all(Array.from({ length: wish.atOnce }, worker));
  } finally {
    await site.close();
  }
  const ordeals = houses.flatMap(({ name }) => done.get(name) ?? []);
  const breaches = breachesOf(ordeals);
  const kills = ordeals.reduce((sum, { hits }) => sum + hits.length, 0);
  const summary = [`${kills} kills of ${ordeals.length} jobs, seed ${wish.seed}: ${breaches.length === 0 ? "everything held" : `${breaches.length} things did not hold`}`, ...skipped, ...breaches.map((breach) => `NOT HELD: ${breach}`)];
  const text = `${tableOf(ordeals)}\n\n${summary.join("\n")}\n`;
  console.log(text);
  await mkdir(reports, { recursive: true });
  await writeFile(join(reports, `${wish.report}.md`), text);
  await writeFile(join(reports, `${wish.report}.json`), `${JSON.stringify({ ...wish, skipped, ordeals }, undefined, 2)}\n`);
  return breaches.length === 0 ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.once("exit", killAllChildren);
process.exitCode = await main();
