/** The write-ahead log in a repository as it is, seen in the bucket: timelines, newest segments, newest commit. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";
import { removeTree } from "../../system/files.ts";
import { run } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { lsnOf, timelineOf } from "./lsn.ts";
import type { OpenRepository } from "./repositories.ts";

export interface ArchivedSegment {
  readonly segment: string;
  /** Path inside the repository. */
  readonly path: string;
  /** When it arrived there. */
  readonly archivedAt: Date;
}

/** One step of a timeline's past: until `until` it was `timeline`. */
export interface Ancestor {
  readonly timeline: number;
  readonly until: bigint;
}

export interface Archive {
  readonly archiveId: string;
  /** Timelines with WAL, the lowest first. */
  readonly timelines: readonly number[];
  /** Of each timeline but the first: its past, oldest first. */
  readonly histories: ReadonlyMap<number, readonly Ancestor[]>;
  /** The segments of a timeline's newest folders, oldest first; asks the repository. */
  newest(timeline: number): Promise<readonly ArchivedSegment[]>;
}

const listing = z.record(z.string(), z.object({ type: z.string(), size: z.number().optional(), time: z.number().optional() }));
const listDeadline = 60;

async function list(open: OpenRepository, path: string): Promise<z.infer<typeof listing>> {
  const { stdout } = await open.command(["repo-ls", "--output=json", "--io-timeout=5", path], { deadline: listDeadline });
  return listing.parse(JSON.parse(stdout === "" ? "{}" : stdout));
}

/** `000000010000000000000009-SHA1.zst`; a `.partial` one is the unfinished end of a timeline that was left. */
const segmentFile = /^([0-9A-F]{24})-[0-9a-f]{40}(?:\.[a-z0-9]+)?$/;
const folderName = /^[0-9A-F]{16}$/;
const historyFile = /^([0-9A-F]{8})\.history$/;

/** Reads which timelines a repository has, and their pasts. */
export async function readArchive(open: OpenRepository, archiveId: string): Promise<Archive> {
  const root = `archive/${open.stanza}/${archiveId}`;
  const entries = Object.keys(await list(open, root));
  const folders = entries.filter((name) => folderName.test(name)).sort();
  const histories = new Map<number, readonly Ancestor[]>();
  for (const name of entries.filter((entry) => historyFile.test(entry))) histories.set(timelineOf(name), parseHistory(await text(open, `${root}/${name}`)));
  return {
    archiveId,
    timelines: [...new Set(folders.map(timelineOf))].sort((a, b) => a - b),
    histories,
    async newest(timeline) {
      const found: ArchivedSegment[] = [];
      for (const folder of folders.filter((name) => timelineOf(name) === timeline).reverse()) {
        for (const [name, { time = 0 }] of Object.entries(await list(open, `${root}/${folder}`))) {
          const segment = segmentFile.exec(name)?.[1];
          if (segment !== undefined) found.push({ segment, path: `${root}/${folder}/${name}`, archivedAt: new Date(time * 1_000) });
        }
        if (found.length >= looked) break;
      }
      return found.toSorted((a, b) => (a.segment < b.segment ? -1 : 1));
    },
  };
}

/** How many segments are looked through, from the newest, for one that holds a commit. */
export const looked = 8;

async function text(open: OpenRepository, path: string): Promise<string> {
  const { stdout, done } = open.file(path);
  const content = await buffer(stdout);
  await done;
  return content.toString("utf8");
}

/** A history file: `parent timeline, LSN of the switch, reason` a line. */
export function parseHistory(content: string): Ancestor[] {
  return content.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line);
    return match === null ? [] : [{ timeline: Number(match[1]), until: lsnOf(match[2]) }];
  });
}

/**
 * Whether WAL of `timeline` can be reached by following `leaf`: it is the leaf, or the leaf left it only after `lsn`.
 */
export function leadsTo(archive: Pick<Archive, "histories">, timeline: number, lsn: bigint, leaf: number): boolean {
  if (leaf === timeline) return true;
  const step = archive.histories.get(leaf)?.find((ancestor) => ancestor.timeline === timeline);
  return step !== undefined && step.until >= lsn;
}

/** The timelines that nothing else grew out of: the ends between which a recovery has to choose. */
export function leaves(archive: Pick<Archive, "histories" | "timelines">): number[] {
  const all = new Set([...archive.timelines, ...archive.histories.keys()]);
  const parents = new Set([...archive.histories.values()].map((past) => past.at(-1)?.timeline));
  return [...all].filter((timeline) => !parents.has(timeline)).sort((a, b) => a - b);
}

export interface Commit {
  readonly time: Date;
  /** As PostgreSQL writes it, with microseconds: `2026-11-22 21:18:00.212018`. */
  readonly text: string;
  readonly xid: string;
}

/**
 * The newest commit in these segments, the newest segment last: the last moment that can be recovered. A target after it is fatal to PostgreSQL
 * (facts F12). `undefined` where the newest segments hold no commit, or are compressed by something else than zst or gz.
 */
export async function newestCommit(open: OpenRepository, segments: readonly ArchivedSegment[], workDirectory: string, binDirectory?: string): Promise<Commit | undefined> {
  const program = await findProgram("pg_waldump", binDirectory);
  const folder = await mkdtemp(join(workDirectory, "wal-"));
  try {
    for (const { segment, path } of segments.toReversed()) {
      const content = await readSegment(open, path);
      if (content === undefined) return undefined;
      await writeFile(join(folder, segment), content, { mode: 0o600 });
      // Its end is no valid record where the segment was switched early: that is exit code 1, and no error here.
      const { stdout } = await run(program, ["--rmgr=Transaction", join(folder, segment)], { deadline: 60, accept: [0, 1], cwd: "/" });
      const commit = lastCommit(stdout);
      if (commit !== undefined) return commit;
      await rm(join(folder, segment));
    }
    return undefined;
  } finally {
    await removeTree(folder);
  }
}

async function readSegment(open: OpenRepository, path: string): Promise<Buffer | undefined> {
  const { stdout, done } = open.file(path);
  try {
    const stored = await buffer(stdout);
    await done;
    if (path.endsWith(".zst")) return await promisify(zstdDecompress)(stored);
    if (path.endsWith(".gz")) return await promisify(gunzip)(stored);
    return /-[0-9a-f]{40}$/.test(path) ? stored : undefined;
  } catch (cause) {
    throw new DrError({ kind: "failed", what: `the newest WAL segment is damaged: ${messageOf(cause).slice(0, 200)}`, where: `${open.name}: ${path}`, todo: "Recover from the other repository, or to a moment before it; `dr verify` names each damaged file.", cause });
  }
}

/** From the output of pg_waldump, under `TZ=UTC`. */
export function lastCommit(waldump: string): Commit | undefined {
  const commits = [...waldump.matchAll(/tx:\s+(\d+),.*desc: (?:COMMIT|COMMIT_PREPARED)\b[^0-9]*(?:\d+: )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+)/g)];
  const last = commits.at(-1);
  const [, xid, moment] = last ?? [];
  if (xid === undefined || moment === undefined) return undefined;
  return { time: new Date(`${moment.replace(" ", "T")}Z`), text: moment, xid };
}
