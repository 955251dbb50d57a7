import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { greatest, tallyOf, typeOf } from "../../../runner/metrics/tally.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const at = "2026-11-22T10:00:00.000Z";

describe("the count of runs", () => {
  it("goes by type and target, and by the kind of a failure", () => {
    const tally = tallyOf(blackroad, [
      record("redis", "snapshot", at),
      record("redis", "snapshot", at, { copies: [copyOk("r2"), copyFailed("s3", "refused", "unavailable")] }),
      record("redis", "snapshot", at, { copies: [copyFailed("r2"), copyFailed("s3")] }),
      record("postgres", "full", at, { took: 3_600 }),
    ]);
    expect(tally["redis-snapshot"]).toMatchObject({ succeeded: { r2: 2, s3: 1 }, failed: { r2: { failed: 1 }, s3: { unavailable: 1, failed: 1 } }, runs: 3 });
    expect(tally["postgres-full"]).toMatchObject({ runs: 1, seconds: 3_600, within: [0, 0, 0, 0, 1, 1] });
  });

  it("leaves out what makes no backup", () => {
    expect(tallyOf(blackroad, [record("redis", "verification", at, { copies: [] }), record("system", "recovery-point", at), record("agents", "before-recovery", at), record("metrics", "block", at)])).toEqual({});
    expect(typeOf(blackroad, { store: "archive", kind: "weekly" })).toBe("archive");
    expect(typeOf(blackroad, { store: "configuration", kind: "snapshot" })).toBe("config-snapshot");
  });

  it("goes on from a base, and never falls", () => {
    const base = tallyOf(blackroad, [record("redis", "snapshot", at), record("redis", "snapshot", at)]);
    const next = tallyOf(blackroad, [record("redis", "snapshot", at)], base);
    expect(next["redis-snapshot"]).toMatchObject({ runs: 3, succeeded: { r2: 3 } });
    expect(base["redis-snapshot"]?.runs).toBe(2);
    expect(greatest(next, tallyOf(blackroad, [record("vault", "snapshot", at)]))).toMatchObject({ "redis-snapshot": { runs: 3, seconds: 15 }, "vault-snapshot": { runs: 1 } });
  });
});
