/**
 * Units as types: a plan never holds a bare number of seconds or bytes.
 * The brands exist at compile time only; at run time a Duration is its seconds, a Size its bytes, a Rate its bytes
 * per second, so that figures serialise to JSON as plain numbers in base units.
 */
declare const unit: unique symbol;

/** A span of time, in seconds. */
export type Duration = number & { readonly [unit]: "seconds" };
/** An amount of data, in bytes. */
export type Size = number & { readonly [unit]: "bytes" };
/** A throughput, in bytes per second. */
export type Rate = number & { readonly [unit]: "bytes per second" };

function checked(value: number, what: string): number {
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${what} must be a finite number of at least 0, not ${value}`);
  return value;
}

export const seconds = (n: number): Duration => checked(n, "seconds") as Duration;
export const minutes = (n: number): Duration => seconds(n * 60);
export const hours = (n: number): Duration => seconds(n * 3_600);
export const days = (n: number): Duration => seconds(n * 86_400);

export const bytes = (n: number): Size => checked(n, "bytes") as Size;
export const kib = (n: number): Size => bytes(n * 1024);
export const mib = (n: number): Size => bytes(n * 1024 ** 2);
export const gib = (n: number): Size => bytes(n * 1024 ** 3);

export const bytesPerSecond = (n: number): Rate => checked(n, "bytes per second") as Rate;
export const mibPerSecond = (n: number): Rate => bytesPerSecond(n * 1024 ** 2);

export const addDurations = (...parts: readonly Duration[]): Duration => seconds(parts.reduce((sum, part) => sum + part, 0));
export const scaleDuration = (duration: Duration, factor: number): Duration => seconds(duration * factor);
/** How long `size` takes at `rate`. A rate of zero is a plan error, not an infinite wait. */
export function transferTime(size: Size, rate: Rate): Duration {
  if (rate <= 0) throw new RangeError("a transfer needs a rate above 0 bytes per second");
  return seconds(size / rate);
}

/** `90 d`, `1 h 30 min`, `15 min`, `2.5 s`, `0 s`: at most two parts, for people. */
export function formatDuration(duration: number): string {
  if (duration < 60) return `${Number(duration.toFixed(duration < 10 ? 1 : 0))} s`;
  const parts: readonly (readonly [string, number])[] = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
  let rest = Math.round(duration);
  const words: string[] = [];
  for (const [name, length] of parts) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) words.push(`${count} ${name}`);
    if (words.length === 2) break;
  }
  return words.join(" ");
}

/** `1.5 GiB`, `640 KiB`, `12 B`. */
export function formatSize(size: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = size;
  let index = 0;
  while (value >= 1024 && index < names.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${Number(value.toFixed(value < 10 && index > 0 ? 1 : 0))} ${names[index] ?? "B"}`;
}
