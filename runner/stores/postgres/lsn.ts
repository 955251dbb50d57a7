/** Positions in PostgreSQL's write-ahead log, and the names of its segments. Pure. */

const lsnPattern = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

/** `16/B374D848` as a number of bytes since the cluster's birth; `undefined` where it is no LSN. */
export function parseLsn(text: string): bigint | undefined {
  const match = lsnPattern.exec(text.trim());
  if (match === null) return undefined;
  return (BigInt(`0x${match[1] ?? "0"}`) << 32n) | BigInt(`0x${match[2] ?? "0"}`);
}

export const formatLsn = (lsn: bigint): string => `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;

/** The later of two LSNs that PostgreSQL itself wrote; `undefined` counts as the beginning. */
export const lsnOf = (text: string | undefined): bigint => (text === undefined ? 0n : (parseLsn(text) ?? 0n));

const segmentPattern = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/;

export interface Segment {
  readonly timeline: number;
  /** LSN of its first byte. */
  readonly start: bigint;
}

/** What a segment's name of 24 digits says. `segmentBytes` is 16 MiB unless initdb was told otherwise. */
export function parseSegment(name: string, segmentBytes: number): Segment | undefined {
  const match = segmentPattern.exec(name);
  if (match === null) return undefined;
  const [high, low] = [BigInt(`0x${match[2] ?? "0"}`), BigInt(`0x${match[3] ?? "0"}`)];
  return { timeline: Number.parseInt(match[1] ?? "0", 16), start: (high << 32n) + low * BigInt(segmentBytes) };
}

/** The name of the segment that holds `lsn` on `timeline`. */
export function segmentName(timeline: number, lsn: bigint, segmentBytes: number): string {
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, "0");
  return hex(BigInt(timeline)) + hex(lsn >> 32n) + hex((lsn & 0xffff_ffffn) / BigInt(segmentBytes));
}

/** The timeline in the first 8 digits of a segment's or a history file's name. */
export const timelineOf = (segment: string): number => Number.parseInt(segment.slice(0, 8), 16);
