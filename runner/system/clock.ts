/** Time is injected, so that retention and schedules can be tested without waiting. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Seconds since `start`, which is a value of `performance.now()`: immune to a wall clock that is set back. */
export const secondsSince = (start: number): number => (performance.now() - start) / 1_000;
