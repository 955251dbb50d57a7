import { randomBytes } from "node:crypto";

/** `dr-drill-20261122-4f2a`: the requirements' name, and what tells two drills of a day apart. */
export function drillName(now: Date): string {
  return `dr-drill-${now.toISOString().slice(0, 10).replaceAll("-", "")}-${randomBytes(2).toString("hex")}`;
}

/** Midnight before a drill of that name began; `undefined` where it is no drill's name. */
export function dayOfDrill(name: string): Date | undefined {
  const [, year, month, day] = /^dr-drill-(\d{4})(\d{2})(\d{2})(?:-[a-z0-9]+)?$/.exec(name) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
