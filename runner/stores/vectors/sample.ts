import { canonical } from "./canonical.ts";
import type { Sample } from "./manifest.ts";

/** What both samples show alike: a vector that was written between the two may be in the backup as either. */
export function stable(before: Sample, after: Sample): Sample {
  const same = new Set(after.points.map(canonical));
  const later = new Set(after.searches.map(canonical));
  return { points: before.points.filter((point) => same.has(canonical(point))), searches: before.searches.filter((search) => later.has(canonical(search))) };
}
