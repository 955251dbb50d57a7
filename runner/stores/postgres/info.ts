/** What pgBackRest says about a repository, read from `info --output=json`. */
import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";
import { condense, pgbackrestError } from "./faults.ts";
import { timelineOf } from "./lsn.ts";
import type { OpenRepository } from "./repositories.ts";

const database = z.object({ id: z.int() });
const stanzaSchema = z.object({
  name: z.string(),
  archive: z.array(z.object({ id: z.string(), min: z.string().nullable(), max: z.string().nullable(), database })),
  backup: z.array(
    z.object({
      label: z.string(),
      type: z.enum(["full", "diff", "incr"]),
      archive: z.object({ start: z.string().nullable(), stop: z.string().nullable() }),
      lsn: z.object({ start: z.string(), stop: z.string() }).optional(),
      timestamp: z.object({ start: z.number(), stop: z.number() }),
      info: z.object({ size: z.number(), repository: z.object({ delta: z.number().optional() }) }),
      reference: z.array(z.string()).nullable(),
      error: z.boolean().nullable().optional(),
      database,
    }),
  ),
  db: z.array(z.object({ id: z.int(), "system-id": z.number(), version: z.string() })),
  repo: z.array(z.object({ status: z.object({ code: z.int(), message: z.string() }) })),
});

export type BackupType = "full" | "diff" | "incr";

export interface RepositoryBackup {
  readonly label: string;
  readonly type: BackupType;
  readonly startLsn: string;
  /** Where a restore is consistent. */
  readonly stopLsn: string;
  /** pgBackRest counts whole seconds, rounded down. */
  readonly startedAt: Date;
  readonly stoppedAt: Date;
  readonly startSegment: string;
  readonly stopSegment: string;
  readonly timeline: number;
  /** Of the database, in bytes. */
  readonly bytes: number;
  /** What this backup added to the repository, compressed. */
  readonly storedBytes: number;
  /** Labels that it needs. */
  readonly references: readonly string[];
  /** Pages with wrong checksums were found while it was made. */
  readonly damagedPages: boolean;
  /** Folder of its WAL in the archive, e.g. `15-1`. */
  readonly archiveId: string;
}

export interface RepositoryInfo {
  /** Oldest first. */
  readonly backups: readonly RepositoryBackup[];
  /** Major version of PostgreSQL. */
  readonly version: number;
  /** Folder of the present database's WAL. */
  readonly archiveId: string;
}

/** Codes of a repository's status: 0 is well; the others are said by their message. */
const emptyCodes: Readonly<Record<number, string>> = { 1: "holds no backups of this system yet", 2: "holds no backup yet", 3: "holds no backups of this system yet" };
/** Seconds; `info` reads two small files. */
const infoDeadline = 60;

/** Reads what a repository holds. Throws where it cannot be read; one without backups has an empty list. */
export async function readInfo(open: OpenRepository, signal?: AbortSignal): Promise<RepositoryInfo> {
  const { stdout } = await open.command(["info", "--output=json", "--io-timeout=5"], { deadline: infoDeadline, ...(signal === undefined ? {} : { signal }) });
  return parseInfo(stdout, open.stanza, open.name);
}

/** The text of `info --output=json` for one repository. */
export function parseInfo(text: string, stanza: string, repository: string): RepositoryInfo {
  const where = `repository ${repository}`;
  const stanzas = parseStanzas(text, where);
  const found = stanzas.find(({ name }) => name === stanza);
  const status = found?.repo[0]?.status;
  if (found === undefined || status === undefined) throw nothingThere(where, stanza);
  if (status.code === 99) throw pgbackrestError("info", where, 99, status.message);
  const latest = found.db.toSorted((a, b) => a.id - b.id).at(-1);
  if (latest === undefined) {
    if (status.code in emptyCodes) throw nothingThere(where, stanza);
    throw new DrError({ kind: "failed", what: `pgbackrest info says ${condense(status.message)}`, where, todo: "Run `dr init` where the database is." });
  }
  const archiveOf = (id: number) => found.archive.find((archive) => archive.database.id === id)?.id ?? `${found.db.find((db) => db.id === id)?.version ?? latest.version}-${id}`;
  const backups = found.backup.flatMap((backup): RepositoryBackup[] => {
    // Offline backups have no LSN; such a one is not ours, and cannot be rolled forward.
    if (backup.lsn === undefined || backup.archive.start === null || backup.archive.stop === null) return [];
    return [{
      label: backup.label, type: backup.type, startLsn: backup.lsn.start, stopLsn: backup.lsn.stop,
      startedAt: new Date(backup.timestamp.start * 1_000), stoppedAt: new Date(backup.timestamp.stop * 1_000),
      startSegment: backup.archive.start, stopSegment: backup.archive.stop, timeline: timelineOf(backup.archive.stop),
      bytes: backup.info.size, storedBytes: backup.info.repository.delta ?? 0, references: backup.reference ?? [],
      damagedPages: backup.error ?? false, archiveId: archiveOf(backup.database.id),
    }];
  });
  return { backups, version: Number.parseInt(latest.version, 10), archiveId: archiveOf(latest.id) };
}

function parseStanzas(text: string, where: string): z.infer<typeof stanzaSchema>[] {
  try {
    // pgBackRest copies what it could not decrypt into its message, control characters and all.
    return z.array(stanzaSchema).parse(JSON.parse(text.replace(/[\x00-\x1f\x7f]/g, " ")));
  } catch (cause) {
    if (/"status":\{"code":99/.test(text)) throw pgbackrestError("info", where, 99, text);
    throw new DrError({ kind: "failed", what: `pgbackrest info cannot be understood: ${messageOf(cause).slice(0, 300)}`, where, todo: "Compare pgBackRest's version with those in README.md.", cause });
  }
}

const nothingThere = (where: string, stanza: string): DrError =>
  new DrError({ kind: "unavailable", what: `the repository holds no backups of the stanza ${stanza} yet`, where, todo: "Run `dr init` and a full backup where the database is; or correct `path` and `stanza`." });
