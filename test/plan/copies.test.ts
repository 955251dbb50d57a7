import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { countCopies } from "../../plan/copies.ts";
import { historyOf } from "../../plan/history.ts";
import type { Copy, Plan, StoreName } from "../../plan/types.ts";
import { days, hours, minutes, seconds } from "../../plan/units.ts";
import { changed, scheduleIn, storeIn, type Draft } from "./drafts.ts";

const only = (store: StoreName, keep: (copy: Draft<Copy>) => boolean): Plan => changed((draft) => (storeIn(draft, store).copies = storeIn(draft, store).copies.filter(keep)));
const countOf = (plan: Plan, store: StoreName) => countCopies(plan).find((count) => count.store === store);

describe("3-2-1", () => {
  it("is kept for every store of the shipped plan", () => {
    expect(countCopies(blackroad).filter((count) => !count.kept)).toEqual([]);
  });

  it("S1: PostgreSQL has its SSD, a replica on another server, and object storage on another continent", () => {
    expect(countOf(blackroad, "postgres")).toMatchObject({ places: expect.arrayContaining([expect.objectContaining({ name: "leader", medium: "ssd" }), expect.objectContaining({ name: "synchronous-replica" }), expect.objectContaining({ name: "r2", continent: "europe" })]) as unknown });
  });

  it("counts what several jobs write to one backend once", () => {
    expect(countOf(blackroad, "postgres")?.places.map((place) => place.name)).toEqual(["leader", "synchronous-replica", "asynchronous-replica", "r2", "s3", "s3-replicated", "archive"]);
  });

  it("says which copies there are where they are too few", () => {
    expect(countOf(only("vectors", (copy) => copy.kind === "original" || copy.name.startsWith("r2")), "vectors")).toMatchObject({ kept: false, missing: ["3 copies: there are 2 (qdrant, r2)"] });
  });

  it("says that all is on one medium", () => {
    expect(countOf(only("redis", (copy) => copy.kind === "original" || copy.kind === "replica"), "redis")?.missing).toEqual(["2 media: all is on ssd", "1 copy on another continent than north-america"]);
  });

  it("does not take another region for another continent", () => {
    expect(countOf(only("redis", (copy) => copy.kind !== "replicated-bucket" && (!("backend" in copy) || copy.backend === "s3")), "redis")).toMatchObject({ kept: false, media: ["ssd", "object-storage"], missing: ["1 copy on another continent than north-america"] });
  });
});

describe("history", () => {
  const steps = (plan: Plan, name: StoreName) => plan.stores.filter((store) => store.name === name).flatMap((store) => historyOf(plan, store).steps);

  it("of PostgreSQL is any moment of the window, then days, then weeks", () => {
    expect(steps(blackroad, "postgres")).toEqual([{ reach: days(7), granularity: seconds(0) }, { reach: days(90), granularity: days(1) }, { reach: days(365), granularity: days(7) }]);
  });

  it("of Redis is 5 minutes for a day, hours for a week, then days, then weeks", () => {
    expect(steps(blackroad, "redis")).toEqual([{ reach: days(1), granularity: minutes(5) }, { reach: days(7), granularity: hours(1) }, { reach: days(90), granularity: days(1) }, { reach: days(365), granularity: days(7) }]);
  });

  it("leaves out a step that something as old does finer", () => {
    const plan = changed((draft) => (scheduleIn(draft, "redis-snapshot").retention = days(8)));
    expect(steps(plan, "redis").map((step) => step.granularity)).toEqual([minutes(5), days(1), days(7)]);
  });

  it("for ever reaches beyond everything", () => expect(steps(blackroad, "configuration")).toEqual([{ reach: "forever", granularity: minutes(20) }]));
});
