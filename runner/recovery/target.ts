/** What a recovery is to reach, as a person or a program says it. Pure. */
import { DrError } from "../errors.ts";
import { formatLsn, parseLsn } from "../stores/postgres/lsn.ts";

export type RecoveryTarget =
  /** The end of the archived WAL. */
  | { readonly kind: "latest" }
  /** The backup alone: as soon as it is consistent. */
  | { readonly kind: "immediate" }
  /** Every commit up to this moment, it included. */
  | { readonly kind: "time"; readonly time: PointInTime }
  /** Up to the commit of this transaction, it included. */
  | { readonly kind: "xid"; readonly xid: bigint }
  | { readonly kind: "lsn"; readonly lsn: bigint }
  /** A restore point by its name. */
  | { readonly kind: "name"; readonly name: string };

export interface PointInTime {
  /** To the millisecond, rounded down. */
  readonly date: Date;
  /** As PostgreSQL and pgBackRest take it, in UTC with microseconds: `2026-11-22 21:18:20.500000+00`. */
  readonly postgres: string;
  /** Set where the text named no zone. */
  readonly note?: string;
}

const moment = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/i;

/**
 * A moment in ISO 8601 (`2026-11-22T21:18:20.5Z`) or as PostgreSQL writes it, with a zone or without (then UTC, and
 * the note says so: PostgreSQL alone would take it for local time).
 * @throws DrError of kind `usage` where it is no time, or in the future.
 */
export function parsePointInTime(text: string, now: Date): PointInTime {
  const match = moment.exec(text.trim());
  if (match === null) throw notATime(text);
  const [, year = "", month = "", day = "", hour = "", minute = "", second = "00", fraction = "", zone] = match;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const date = new Date(`${local}Z`);
  // Date takes the 30th of February for the 2nd of March, and 24:00 for the next day.
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 19) !== local) throw notATime(text);
  const micros = fraction.padEnd(6, "0").slice(0, 6);
  const moved = new Date(date.getTime() - offsetOf(zone, text) * 60_000 + Number(micros.slice(0, 3)));
  if (moved.getTime() > now.getTime()) {
    throw new DrError({ kind: "usage", what: `the target time ${text} is in the future: it is ${now.toISOString()} now`, where: "the target time", todo: "Give a time that has passed, or recover to the latest." });
  }
  const postgres = `${moved.toISOString().slice(0, 19).replace("T", " ")}.${micros}+00`;
  return { date: moved, postgres, ...(zone === undefined ? { note: `${text} names no zone and is taken as UTC` } : {}) };
}

/** Minutes east of Greenwich. */
function offsetOf(zone: string | undefined, text: string): number {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone ?? "");
  if (match === null) return 0;
  const [hours, minutes] = [Number(match[2]), Number(match[3] ?? 0)];
  if (hours > 15 || minutes > 59) throw notATime(text);
  return (match[1] === "-" ? -1 : 1) * (hours * 60 + minutes);
}

const notATime = (text: string): DrError =>
  new DrError({ kind: "usage", what: `${JSON.stringify(text)} is not a time`, where: "the target time", todo: "Write it as 2026-11-22T21:18:20Z; seconds may have a fraction, and a zone such as +02:00 may stand for Z." });

export interface TargetOptions {
  readonly time?: string | undefined;
  readonly xid?: string | undefined;
  readonly lsn?: string | undefined;
  readonly name?: string | undefined;
}

/** The target that the options of a command name; without any, the latest. More than one is an error. */
export function parseTarget(options: TargetOptions, now: Date): RecoveryTarget {
  const given = Object.entries({ time: options.time, xid: options.xid, lsn: options.lsn, name: options.name }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    throw new DrError({ kind: "usage", what: `there is more than one target: ${given.map(([name]) => `--${name}`).join(" and ")}`, where: "the target", todo: "Give one of --time, --xid, --lsn and --name." });
  }
  if (options.time !== undefined) return { kind: "time", time: parsePointInTime(options.time, now) };
  if (options.xid !== undefined) return { kind: "xid", xid: parseXid(options.xid) };
  if (options.lsn !== undefined) return { kind: "lsn", lsn: checkedLsn(options.lsn) };
  if (options.name !== undefined) return { kind: "name", name: checkedName(options.name) };
  return { kind: "latest" };
}

function parseXid(text: string): bigint {
  const xid = /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
  // 0 to 2 are PostgreSQL's own; a transaction of somebody begins at 3.
  if (xid >= 3n && xid < 2n ** 64n) return xid;
  throw new DrError({ kind: "usage", what: `${JSON.stringify(text)} is no transaction id`, where: "--xid", todo: "Give the number that pg_current_xact_id() or a row's xmin showed." });
}

function checkedLsn(text: string): bigint {
  const lsn = parseLsn(text);
  if (lsn !== undefined) return lsn;
  throw new DrError({ kind: "usage", what: `${JSON.stringify(text)} is no LSN`, where: "--lsn", todo: "Write it as PostgreSQL does: 16/B374D848." });
}

/** PostgreSQL cuts a restore point's name at 63 bytes and would then never find it. */
export function checkedName(name: string): string {
  if (name !== "" && Buffer.byteLength(name) <= 63 && !/[\x00-\x1f]/.test(name)) return name;
  throw new DrError({ kind: "usage", what: `${JSON.stringify(name)} is no name of a restore point`, where: "--name", todo: "Give the name that the restore point was made with: 1 to 63 bytes." });
}

/** For people. */
export function describeTarget(target: RecoveryTarget): string {
  switch (target.kind) {
    case "latest":
      return "the latest";
    case "immediate":
      return "the backup itself";
    case "time":
      return target.time.postgres;
    case "xid":
      return `transaction ${target.xid}`;
    case "lsn":
      return `LSN ${formatLsn(target.lsn)}`;
    case "name":
      return `restore point ${target.name}`;
  }
}
