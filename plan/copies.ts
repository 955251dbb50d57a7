import { backendOf, isBackendCopy, isOriginal, regionOf } from "./find.ts";
import type { Continent, Copy, Medium, Plan, Store, StoreName } from "./types.ts";

/** One place that holds a store's data. */
export interface Place {
  readonly name: string;
  readonly medium: Medium;
  readonly continent: Continent;
  readonly region: string;
}

/** 3-2-1 (S1): three copies, on two media, one on another continent than the original. */
export interface CopyCount {
  readonly store: StoreName;
  readonly places: readonly Place[];
  readonly media: readonly Medium[];
  /** The places on another continent than the original. */
  readonly offsite: readonly string[];
  readonly kept: boolean;
  /** What is missing; empty where nothing is. */
  readonly missing: readonly string[];
}

const rule = { copies: 3, media: 2, offsite: 1 } as const;

export const countCopies = (plan: Plan): readonly CopyCount[] => plan.stores.map((store) => countCopiesOf(plan, store));

function countCopiesOf(plan: Plan, store: Store): CopyCount {
  const places = placesOf(plan, store);
  const home = store.copies.find(isOriginal);
  const continent = home === undefined ? undefined : placeOf(plan, home)?.continent;
  const media = [...new Set(places.map((place) => place.medium))];
  const offsite = places.filter((place) => place.continent !== continent).map((place) => place.name);
  const missing = [
    ...(places.length < rule.copies ? [`${rule.copies} copies: there ${places.length === 1 ? "is" : "are"} ${places.length} (${places.map((place) => place.name).join(", ")})`] : []),
    ...(media.length < rule.media ? [`${rule.media} media: all is on ${media.join(", ")}`] : []),
    ...(offsite.length < rule.offsite ? [`${rule.offsite} copy on another continent than ${continent ?? "the original"}`] : []),
  ];
  return { store: store.name, places, media, offsite, kept: missing.length === 0, missing };
}

/** What several jobs write to one backend is one copy: it is lost at once. */
function placesOf(plan: Plan, store: Store): readonly Place[] {
  const places = new Map<string, Place>();
  for (const copy of store.copies) {
    const place = placeOf(plan, copy);
    if (place !== undefined) places.set(place.name, place);
  }
  return [...places.values()];
}

function placeOf(plan: Plan, copy: Copy): Place | undefined {
  if (isBackendCopy(copy)) {
    const backend = backendOf(plan, copy.backend);
    return backend && { name: backend.name, medium: backend.role === "archive" ? "archive-storage" : "object-storage", continent: backend.continent, region: backend.region };
  }
  if (copy.kind === "replicated-bucket") return { name: copy.name, medium: "object-storage", continent: copy.continent, region: copy.region };
  if (copy.kind === "hosted") return { name: copy.name, medium: copy.medium, continent: copy.continent, region: copy.region };
  const region = regionOf(plan, copy.region);
  return region && { name: copy.name, medium: copy.medium, continent: region.continent, region: region.name };
}
