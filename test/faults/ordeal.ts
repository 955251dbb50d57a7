/** A job's ordeal: measured, then killed at moments drawn from how long it takes, with a look and another run after each. */
import { registerAll } from "../../cli/commands/all.ts";
import { outcomeOf } from "../../runner/catalog/record.ts";
import { messageOf } from "../../runner/errors.ts";
import { verifyOne } from "../../runner/verify.ts";
import { runCommand } from "../cli/run-command.ts";
import { Inspector } from "./holds.ts";
import type { House, Job } from "./job.ts";
import { runJob, type Process } from "./kill.ts";

export interface OrdealOptions {
  /** How often it is killed. */
  readonly times: number;
  /** By `performance.now()`: it is killed less often where that is over first. Default: never. */
  readonly until?: number;
  /** Runs that are measured before. */
  readonly measured: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** A run that nobody kills follows each kill, or the last one only. */
  readonly next: "each" | "last";
  /** Whether the newest backup is verified in the end. */
  readonly verify: boolean;
  /** Told after each kill. */
  readonly onHit?: (hit: Hit) => void;
}

/** What one kill came to. */
export interface Hit {
  /** Seconds after its start. */
  readonly at: number;
  /** The last step that it had reported. */
  readonly step: string;
  /** Whether the backup's record stood by then: the work was done, the process not yet ended. */
  readonly recorded: boolean;
  /** Everything that did not hold after it, or after the next run; empty: all did. */
  readonly breaches: readonly string[];
}

export interface Ordeal {
  readonly store: string;
  readonly job: string;
  /** Of the runs that were let to their end, in the order in which they were made. */
  readonly seconds: readonly number[];
  readonly hits: readonly Hit[];
  /** Moments that came after the run's end: drawn anew. */
  readonly late: number;
  /** What did not hold before the first kill or after the last. */
  readonly breaches: readonly string[];
}

/** How many of the moments lie before the job's first word: it loads itself then, and has touched nothing. */
const atStart = 0.2;
/** So many draws may fall behind the end of their run, for each that does not. */
const mostLate = 5;

export async function ordealOf(house: House, job: Job, { times, until = Infinity, measured, random, next, verify, onHit }: OrdealOptions): Promise<Ordeal> {
  const inspector = new Inspector(house.context);
  const seconds: number[] = [];
  const starts: number[] = [];
  const hits: Hit[] = [];
  const breaches: string[] = [];
  for (let run = 0; run < measured; run += 1) {
    await job.change();
    const ended = await runJob(house, job);
    if (ended.killed || !isGood(job, ended.code)) return { store: job.store, job: job.name, seconds, hits, late: 0, breaches: [`it does not even run undisturbed: ${ended.killed ? "killed" : `exit code ${ended.code}: ${ended.said.trim().split("\n").slice(-3).join(" | ")}`}`] };
    seconds.push(ended.seconds);
    starts.push(ended.firstReport);
  }
  breaches.push(...(await inspector.catalog()), ...(await inspector.tidiness([])));
  let start = median(starts);
  let span = median(seconds);
  let late = 0;
  const children: Process[] = [];
  const isOver = (): boolean => performance.now() > until;
  while (hits.length < times && late < mostLate * times && !isOver()) {
    await job.change();
    const before = await goodRecords(house, job);
    const at = random() < atStart ? random() * start : start + random() * Math.max(0, span - start);
    const ended = await runJob(house, job, at);
    if (!ended.killed) {
      if (!isGood(job, ended.code)) breaches.push(`a run that was not killed ended with ${ended.code}: ${ended.said.trim().split("\n").slice(-3).join(" | ")}`);
      [start, span] = [ended.firstReport, ended.seconds]; // the machine has more time for us than it had
      late += 1;
      continue;
    }
    const found = await said("after the kill", async () => [...(await inspector.catalog()), ...((await job.alsoHolds?.()) ?? [])]);
    const recorded = newer(await goodRecords(house, job), before).length > 0;
    children.push(...ended.children);
    if (next === "each" || hits.length === times - 1) {
      found.push(...(await said("the next run", () => nextRun(house, job))));
      found.push(...(await said("after the next run", async () => [...(await inspector.catalog()), ...(await inspector.tidiness(children.splice(0))), ...((await job.alsoHolds?.()) ?? [])])));
    }
    const hit = { at, step: ended.step, recorded, breaches: found };
    hits.push(hit);
    onHit?.(hit);
  }
  if (hits.length < times && !isOver()) breaches.push(`only ${hits.length} of ${times} kills met a run that was still at work`);
  inspector.forget();
  breaches.push(...(await said("in the end", async () => [...(await inspector.catalog()), ...((await job.inTheEnd?.()) ?? []), ...(verify ? await verified(house, job) : [])])));
  return { store: job.store, job: job.name, seconds, hits, late, breaches };
}

/** The same command, in this process: what a killed run has left is met by another one either way. */
async function nextRun(house: House, job: Job): Promise<string[]> {
  await job.change();
  const before = await goodRecords(house, job);
  const { exitCode, human } = await runCommand(registerAll, house.context, job.command);
  const wrong = isGood(job, exitCode) ? [] : [`exit code ${exitCode}: ${human}`];
  if (job.makes === undefined) return wrong;
  const made = newer(await goodRecords(house, job), before);
  if (made.length === 0) return [...wrong, `it made no backup: ${human}`];
  return [...wrong, ...made.filter(({ outcome }) => outcome !== "ok").map(({ id, outcome }) => `${id} is ${outcome}`)];
}

interface Known {
  readonly id: string;
  readonly outcome: string;
}

async function goodRecords({ context }: House, { makes }: Job): Promise<Known[]> {
  if (makes === undefined) return [];
  const { records } = await context.catalog.list(makes);
  return records.map((record) => ({ id: record.id, outcome: outcomeOf(record) })).filter(({ outcome }) => outcome !== "failed");
}

function newer(now: readonly Known[], before: readonly Known[]): Known[] {
  const known = new Set(before.map(({ id }) => id));
  return now.filter(({ id }) => !known.has(id));
}

async function verified({ context }: House, { makes }: Job): Promise<string[]> {
  if (makes === undefined || makes.store === "system") return []; // a recovery point's parts are verified by their own stores
  const { id } = await context.catalog.find("latest", makes);
  const { ok, verified: of, problems } = await verifyOne(context, id);
  if (ok) return [];
  return [`dr verify ${id}: ${[...of.flatMap(({ copies }) => copies.flatMap(({ backend, errors, checks }) => [...errors, ...checks.flatMap(({ ok: good, name, detail }) => (good ? [] : [`${name}: ${detail ?? ""}`]))].map((error) => `${backend}: ${error}`))), ...problems.map(({ what }) => what)].join("; ")}`];
}

/** An error is a breach like any other. */
async function said(when: string, work: () => Promise<readonly string[]>): Promise<string[]> {
  const breaches = await work().catch((error: unknown) => [messageOf(error)]);
  return breaches.map((breach) => `${when}: ${breach}`);
}

const isGood = ({ good = [0] }: Job, code: number): boolean => good.includes(code);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
