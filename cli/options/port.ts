import { InvalidArgumentError } from "commander";

const numberIn = (text: string): number => (/^\d{1,5}$/.test(text) ? Number(text) : Number.NaN);

/** A TCP port that somebody names. */
export function parsePort(text: string): number {
  const value = numberIn(text);
  if (value > 0 && value < 65_536) return value;
  throw new InvalidArgumentError("a port from 1 to 65535 is expected.");
}

/** A TCP port to listen at; 0 means any that is free. */
export function parsePortOrAny(text: string): number {
  const value = numberIn(text);
  if (value >= 0 && value < 65_536) return value;
  throw new InvalidArgumentError("a port from 1 to 65535 is expected, or 0 for any.");
}
