import { setTimeout as sleep } from "node:timers/promises";

/** Lets `milliseconds` pass, or less where `stop` comes first. */
export const pause = (milliseconds: number, stop: AbortSignal): Promise<void> => sleep(Math.max(0, milliseconds), undefined, { signal: stop }).catch(() => undefined); // an abort ends the pause, which is no error
