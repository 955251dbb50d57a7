import { setTimeout as sleep } from "node:timers/promises";
import { DrError, messageOf } from "../errors.ts";
import { secondsSince } from "./clock.ts";

export interface WaitOptions {
  /** Seconds after which waiting is given up. */
  readonly within: number;
  /** Seconds between two looks. Default 0.1. */
  readonly every?: number;
  readonly signal?: AbortSignal;
  /** Asked after each look: whether waiting on is of no use, as what was waited for has died. */
  readonly fatal?: () => boolean;
}

type WaitLog = (awaited: string, seconds: number) => void;
const logs = new Set<WaitLog>();
/** Every wait that ends is told to `log`, with its time. Returns the function that stops it. */
export function observeWaits(log: WaitLog): () => void {
  logs.add(log);
  return () => void logs.delete(log);
}

/**
 * Waits until `look` returns something other than `undefined` or `false`, and returns it. A look that throws counts
 * as "not yet"; its last error is the cause when the deadline passes, and the message says what was awaited.
 */
export async function waitFor<T>(awaited: string, look: () => Promise<T | undefined | false> | T | undefined | false, options: WaitOptions): Promise<T> {
  const start = performance.now();
  try {
    return await waitUntil(awaited, look, options, start);
  } finally {
    for (const log of logs) log(awaited, secondsSince(start));
  }
}

async function waitUntil<T>(awaited: string, look: () => Promise<T | undefined | false> | T | undefined | false, options: WaitOptions, start: number): Promise<T> {
  let last: unknown;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      last = undefined;
    } catch (error) {
      last = error;
    }
    const isLost = options.fatal?.() === true;
    if (isLost && last instanceof DrError) throw last;
    if (isLost || secondsSince(start) >= options.within) {
      throw new DrError({
        kind: "failed",
        what: `${awaited} did not come ${isLost ? "and cannot come any more" : `within ${options.within} s`}${last === undefined ? "" : `: ${messageOf(last)}`}`,
        where: "waiting",
        todo: "Look at the log of the server that was waited for.",
        cause: last,
      });
    }
    await sleep((options.every ?? 0.1) * 1_000, undefined, options.signal ? { signal: options.signal } : {});
  }
}
