import { InvalidArgumentError } from "commander";

const shape = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i;

/** A point in time as people write it: `2026-11-22 20:30`, with seconds or a zone if they like; UTC without one. */
export function parseTime(text: string): Date {
  const match = shape.exec(text.trim());
  const [, day = "", clock = "00:00", zone = "Z"] = match ?? [];
  const offset = /^(z|utc)$/i.test(zone) ? "Z" : zone.length === 3 ? `${zone}:00` : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const time = new Date(`${day}T${clock}${offset}`);
  // Date rolls 30 February over into March; a day that does not exist is an error.
  const exists = !Number.isNaN(Date.parse(`${day}T00:00:00Z`)) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
  if (match === null || Number.isNaN(time.getTime()) || !exists) throw new InvalidArgumentError("a time is expected, e.g. 2026-11-22 20:30 or 2026-11-22T20:30:00Z.");
  return time;
}
