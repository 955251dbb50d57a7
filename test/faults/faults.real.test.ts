import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerAll } from "../../cli/commands/all.ts";
import { openRun } from "../../cli/open-run.ts";
import { issue } from "../../drill/environments/certificates.ts";
import { outcomeOf, type BackupRecord } from "../../runner/catalog/record.ts";
import type { S3BackendConfig } from "../../runner/config.ts";
import { DrError, exitCodes } from "../../runner/errors.ts";
import { writeDurably } from "../../runner/system/files.ts";
import { runCommand } from "../cli/run-command.ts";
import { s3Installed } from "../harness/s3.ts";
import { s3Config } from "../harness/stores.ts";
import { Inspector } from "./holds.ts";
import { houses, type HouseEntry } from "./houses/all.ts";
import { configurationHouse } from "./houses/configuration.ts";
import { openSite, type Site } from "./houses/site.ts";
import type { House, Job } from "./job.ts";
import { ordealOf } from "./ordeal.ts";
import { seeded } from "./random.ts";
import { startBrokenStore, type Answer } from "./store-answers.ts";
import { breachesOf } from "./table.ts";

/** The whole of it, in buckets, is `npm run faults`; docs/faults.md has what that saw. */
const short = { times: 5, measured: 1, verify: false } as const;
/** One of PostgreSQL's three kinds does for all; a recovery point is made of the others; expiry has kills of its own. */
const leftOut: readonly string[] = ["postgres full", "postgres diff", "backup all", "expire"];
/** Those that have locks, credentials or plain files while they work: after each kill another run. */
const leaves: readonly string[] = ["objects", "configuration"];
/** The same moments each time: a test is no lottery. `npm run faults` draws others. */
const seed = 20_261_123;
let site: Site;

beforeAll(async () => {
  if (s3Installed) site = await openSite({ inFolders: true });
});
afterAll(async () => {
  await Promise.allSettled([...opened.values()].map(async (house) => (await house).close()));
  if (s3Installed) await site.close();
});

/** A house is opened by the first that comes, and worked in by one at a time. */
const opened = new Map<string, Promise<House>>();
const turns = new Map<string, Promise<unknown>>();

async function inHouse({ name, lacks, open }: HouseEntry, skip: (condition: boolean, why: string) => void, work: (house: House, jobs: readonly Job[]) => Promise<void>): Promise<void> {
  skip(lacks.length > 0, `needs ${lacks.join(", ")}`);
  const house = opened.get(name) ?? open(site);
  opened.set(name, house);
  const turn = (turns.get(name) ?? Promise.resolve()).then(async () => {
    const { jobs } = await house;
    await work(await house, jobs.filter((job) => !leftOut.includes(job.name)));
  });
  turns.set(name, turn.catch(() => undefined)); // whoever had the turn is told
  await turn;
}

/** A run of the same house with another backend in the place of its second. */
async function runWith(house: House, s3: S3BackendConfig) {
  const { backends, ...rest } = house.context.config;
  const file = `${house.configFile}.changed`;
  await writeDurably(file, JSON.stringify({ ...rest, backends: backends.map((backend) => (backend.name === "s3" ? s3 : backend)) }));
  return openRun(file, new AbortController().signal, () => undefined);
}

const statuses = ({ copies }: BackupRecord): string => copies.map(({ backend, status }) => `${backend} ${status}`).join(", ");
const recordsOf = async ({ context }: House, { makes }: Job): Promise<readonly BackupRecord[]> => (makes === undefined ? [] : (await context.catalog.list(makes)).records);

/** The records that `work` leaves. */
async function made(house: House, job: Job, work: () => Promise<unknown>): Promise<readonly BackupRecord[]> {
  await job.change();
  const before = new Set((await recordsOf(house, job)).map(({ id }) => id));
  await work();
  return (await recordsOf(house, job)).filter(({ id }) => !before.has(id));
}

describe.skipIf(!s3Installed)("the runner's jobs (need versitygw)", () => {
  for (const entry of houses.filter(({ name }) => name !== "expiry")) {
    it.concurrent(`killed at any moment leave no false backup, no lock, nothing readable and nothing at work, and the next run succeeds: ${entry.name}`, ({ skip }) =>
      inHouse(entry, skip, async (house, jobs) => {
        for (const job of jobs) {
          const ordeal = await ordealOf(house, job, { ...short, next: leaves.includes(job.store) ? "each" : "last", random: seeded(seed) });
          expect(breachesOf([ordeal]), `seed ${seed}`).toEqual([]);
        }
      }));
  }
  // An archive goes to one place; of PostgreSQL, see test/runner/stores/postgres/faults.real.test.ts.
  for (const entry of houses.filter(({ name }) => !["archive", "expiry", "postgres"].includes(name))) {
    it.concurrent(`stand in the other backend, and say so, where one takes nothing for the length of a run: ${entry.name}`, ({ skip }) =>
      inHouse(entry, skip, async (house, jobs) => {
        for (const job of jobs) await refusedWrites(house, job);
      }));
  }
  // The others' own tests do it.
  for (const entry of houses.filter(({ name }) => ["redis", "logs"].includes(name))) {
    it.concurrent(`end well where two of one are at work at once: ${entry.name}`, ({ skip }) =>
      inHouse(entry, skip, async (house, jobs) => {
        for (const job of jobs) await twoAtOnce(house, job);
      }));
  }
});

/** What a command ends with, as `dr` would. */
const codeOf = (ending: Promise<{ readonly exitCode: number }>): Promise<number | string> => ending.then(({ exitCode }) => exitCode, (error: unknown) => (error instanceof DrError ? error.exitCode : String(error)));

/** A backend that answers every question and takes nothing, for the length of a run. */
async function refusedWrites(house: House, job: Job): Promise<void> {
  const bucket = job.store === "objects" ? site.kept : site.s3;
  const refused = await runWith(house, s3Config(bucket, { name: "s3", prefix: house.name, credentialsFile: bucket.readerCredentialsFile }));
  const inS3Alone = job.store === "objects";
  let code: number | string = 0;
  const [record] = await made(house, job, async () => (code = await codeOf(runCommand(registerAll, refused, job.command))));
  for (const backend of refused.backends) backend.close();
  if (inS3Alone) expect(code, job.name).not.toBe(0);
  else expect(code, job.name).toBe(exitCodes.partial);
  expect(record === undefined ? "no record" : statuses(record), job.name).toBe(inS3Alone ? "s3 failed" : "r2 ok, s3 failed");
  expect(JSON.stringify(record?.copies.at(-1)), job.name).toMatch(/denies access|AccessDenied/);
  expect(await new Inspector(house.context).catalog(), job.name).toEqual([]);
}

/** Kubernetes may start a job twice. */
async function twoAtOnce(house: House, job: Job): Promise<void> {
  let codes: readonly (number | string)[] = [];
  const records = await made(house, job, async () => (codes = await Promise.all([1, 2].map(() => codeOf(runCommand(registerAll, house.context, job.command))))));
  expect(codes, job.name).toEqual([0, 0]);
  expect([...new Set(records.map(outcomeOf))], job.name).toEqual(["ok"]);
  const inspector = new Inspector(house.context);
  expect([...(await inspector.catalog()), ...(await inspector.tidiness([]))], job.name).toEqual([]);
}

describe.skipIf(!s3Installed)("a backend that (needs versitygw)", () => {
  const cases: readonly (readonly [string, Answer, RegExp])[] = [
    ["answers 500", 500, /the store/],
    ["answers 403", 403, /denies access/],
    ["answers 404", 404, /does not exist/],
    ["cuts its answers off", "cut", /broke|cut|the store/],
    ["has a certificate that expired", "expired", /certificate has expired/],
  ];
  it.concurrent.each(cases)("%s has a failed copy that says so, and the other's stands", async (name, answer, said) => {
    const certificate = await issue(site.authority, { name: `broken-${String(answer)}`, hosts: ["localhost"], days: answer === "expired" ? -1 : 1 });
    const store = await startBrokenStore(certificate, answer);
    const house = await configurationHouse(site, `configuration-${String(answer)}`);
    try {
      const [job] = house.jobs;
      if (job === undefined) throw new RangeError("a house has a job");
      const broken = await runWith(house, s3Config(site.s3, { name: "s3", endpoint: store.endpoint, caFile: certificate.caFile }));
      let code: number | string = 0;
      const [record] = await made(house, job, async () => (code = await codeOf(runCommand(registerAll, broken, job.command))));
      expect(code, name).toBe(exitCodes.partial);
      expect(record === undefined ? "" : statuses(record)).toBe("r2 ok, s3 failed");
      expect(JSON.stringify(record?.copies.at(-1))).toMatch(said);
      expect(store.asked()).toBeGreaterThan(answer === "expired" ? -1 : 0);
      for (const backend of broken.backends) backend.close();
    } finally {
      await house.close();
      await store.close();
    }
  });
});
