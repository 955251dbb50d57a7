import { describe, expect, it } from "vitest";
import type { Acknowledgement, Ledger } from "../../../drill/workload/ledger.ts";
import { lastAcknowledged, lostAtResumptions, measureRpo, outageAfter, summariseLag } from "../../../drill/workload/measure.ts";
import { heartbeatProblems } from "../../../drill/workload/validate.ts";

/** Heartbeat n is acknowledged at n × 100 ms. */
const acknowledgements = (count: number, store: "postgres" | "redis" = "postgres"): Acknowledgement[] => Array.from({ length: count }, (_, index) => ({ kind: "ack", store, tick: index + 1, at: (index + 1) * 100 }));
const ledgerOf = (count: number): Ledger => ({ acknowledged: { postgres: acknowledgements(count), redis: acknowledgements(count, "redis") }, unanswered: [], lags: [], interruptions: [], resumptions: [] });
const upTo = (last: number) => (last === 0 ? [] : [{ first: 1, last }]);

describe("the measured RPO", () => {
  it("is 0 where nothing acknowledged is missing", () => {
    expect(measureRpo(ledgerOf(10), { store: "postgres", disasterAt: 1_050, present: upTo(10) })).toEqual({ rpoSeconds: 0, acknowledgedLost: 0, firstMissing: undefined });
  });

  it("reaches from the disaster back to the first acknowledged heartbeat that is missing", () => {
    const loss = measureRpo(ledgerOf(10), { store: "postgres", disasterAt: 1_050, present: upTo(7) });
    expect(loss.rpoSeconds).toBeCloseTo(0.25); // heartbeat 8 at 800 ms
    expect(loss.acknowledgedLost).toBe(3);
    expect(loss.firstMissing?.tick).toBe(8);
  });

  it("counts a gap from the gap on, whatever comes after it", () => {
    const loss = measureRpo(ledgerOf(10), { store: "postgres", disasterAt: 1_000, present: [{ first: 1, last: 2 }, { first: 4, last: 10 }] });
    expect(loss).toMatchObject({ rpoSeconds: 0.7, acknowledgedLost: 1 });
  });

  it("does not count what was acknowledged after the disaster, nor what an earlier one had lost", () => {
    expect(measureRpo(ledgerOf(20), { store: "postgres", disasterAt: 1_000, present: upTo(10) }).acknowledgedLost).toBe(0);
    const second = measureRpo(ledgerOf(20), { store: "postgres", disasterAt: 2_000, present: [{ first: 1, last: 8 }, { first: 11, last: 18 }], alreadyLost: [{ first: 9, last: 10 }] });
    expect(second).toMatchObject({ acknowledgedLost: 2, rpoSeconds: 0.1 });
  });

  it("tolerates a heartbeat whose acknowledgement was lost", () => {
    expect(measureRpo(ledgerOf(10), { store: "postgres", disasterAt: 1_050, present: upTo(11) }).acknowledgedLost).toBe(0);
  });

  it("counts everything where the recovered store is empty", () => {
    expect(measureRpo(ledgerOf(10), { store: "redis", disasterAt: 1_100, present: [] })).toMatchObject({ acknowledgedLost: 10, rpoSeconds: 1 });
  });

  it("looks at the one store that was asked for", () => {
    const ledger: Ledger = { ...ledgerOf(0), acknowledged: { postgres: acknowledgements(5), redis: [] } };
    expect(measureRpo(ledger, { store: "redis", disasterAt: 1_000, present: [] }).acknowledgedLost).toBe(0);
  });
});

describe("the heartbeats of a recovered store", () => {
  const check = (recoveredTick: number, present: { first: number; last: number }[], circumstances = {}) => heartbeatProblems(ledgerOf(10), "postgres", { recoveredTick, present }, circumstances);

  it("are fine up to one more than was acknowledged", () => {
    expect(check(10, upTo(10))).toEqual([]);
    expect(check(11, upTo(11))).toEqual([]);
    expect(check(4, upTo(4))).toEqual([]); // loss is measured, it is no error
  });

  it("may hold what was sent and never answered, of their own store", () => {
    const unanswered = [{ kind: "unanswered" as const, store: "postgres" as const, tick: 13, at: 1_100 }];
    const ledger = { ...ledgerOf(10), unanswered };
    expect(heartbeatProblems(ledger, "postgres", { recoveredTick: 13, present: upTo(13) }, {})).toEqual([]);
    expect(heartbeatProblems(ledger, "redis", { recoveredTick: 13, present: upTo(13) }, {})).toHaveLength(1);
  });

  it("that nobody wrote are an error", () => {
    expect(check(12, upTo(12))).toEqual(["postgres holds heartbeat 12, but 10 was the last one that was acknowledged, and 10 the last one that was sent"]);
  });

  it("that the backup must have held are missed", () => {
    expect(check(4, upTo(4), { atLeast: 5 })[0]).toContain("reaches to heartbeat 4, but 5 was acknowledged before the backup began");
    expect(check(5, upTo(5), { atLeast: 5 })).toEqual([]);
  });

  it("that are missing in the midst are named, unless an earlier disaster lost them", () => {
    const present = [{ first: 1, last: 3 }, { first: 6, last: 10 }];
    expect(check(10, present)).toHaveLength(2);
    expect(check(10, present)[0]).toContain("lacks heartbeat 4");
    expect(check(10, present, { alreadyLost: [{ first: 4, last: 5 }] })).toEqual([]);
  });

  it("that are missing by the dozen are counted", () => {
    expect(check(10, [{ first: 10, last: 10 }])).toHaveLength(6);
    expect(check(10, [{ first: 10, last: 10 }]).at(-1)).toContain("4 more");
  });
});

describe("an outage", () => {
  const ledger: Pick<Ledger, "interruptions" | "resumptions"> = {
    interruptions: [{ kind: "interrupted", store: "redis", at: 90, error: "x" }, { kind: "interrupted", store: "postgres", at: 110, error: "y" }],
    resumptions: [{ kind: "resumed", store: "redis", at: 95, found: 5, acknowledged: 5, server: "r" }, { kind: "resumed", store: "postgres", at: 5_100, found: 7, acknowledged: 9, server: "b1" }],
  };

  it("lasts from the disaster until a write is acknowledged again", () => {
    expect(outageAfter(ledger, "postgres", 100)).toMatchObject({ from: 110, until: 5_100, seconds: 5 });
  });

  it("that was over before is not counted", () => {
    expect(outageAfter(ledger, "redis", 100)).toBeUndefined();
  });

  it("that goes on has no end", () => {
    expect(outageAfter({ ...ledger, resumptions: [] }, "postgres", 100)).toMatchObject({ until: undefined, seconds: undefined });
  });

  it("tells what a failover lost, store by store", () => {
    expect(lostAtResumptions(ledger, "postgres")).toEqual([{ first: 8, last: 9 }]);
    expect(lostAtResumptions(ledger, "redis")).toEqual([]);
  });
});

describe("the last acknowledged heartbeat", () => {
  it("is the last one at or before a moment", () => {
    expect(lastAcknowledged(ledgerOf(10), "postgres")?.tick).toBe(10);
    expect(lastAcknowledged(ledgerOf(10), "postgres", 450)?.tick).toBe(4);
    expect(lastAcknowledged(ledgerOf(10), "postgres", 50)).toBeUndefined();
  });
});

describe("the summary of the lag", () => {
  const samples = Array.from({ length: 200 }, (_, index) => ({ kind: "lag" as const, at: index * 1_000, tick: index, seconds: index === 150 ? 30 : 0.01, unsure: 0.005 }));

  it("tells the greatest, the 99th percentile and the greatest outside the faults", () => {
    const summary = summariseLag(samples, [{ from: 120_000, until: 160_000 }]);
    expect(summary).toEqual({ samples: 200, maxSeconds: 30, p99Seconds: 0.01, outsideFaultMaxSeconds: 0.01, outsideFaultProvenSeconds: 0.005 });
  });

  it("tells what of it is surely the replica's where the reader was held up", () => {
    const heldUp = samples.map((sample) => (sample.tick === 150 ? { ...sample, unsure: 29.8 } : sample));
    expect(summariseLag(heldUp, [])?.outsideFaultMaxSeconds).toBe(30);
    expect(summariseLag(heldUp, [])?.outsideFaultProvenSeconds).toBeCloseTo(0.2);
  });

  it("counts a sample that began during a fault as inside it, although it ended after", () => {
    expect(summariseLag(samples, [{ from: 121_000, until: 122_000 }])?.outsideFaultMaxSeconds).toBe(0.01);
    expect(summariseLag(samples, [{ from: 1, until: 2 }])?.outsideFaultMaxSeconds).toBe(30);
  });

  it("is not made of nothing", () => {
    expect(summariseLag([], [])).toBeUndefined();
    expect(summariseLag(samples, [{ from: 0, until: 1e9 }])?.outsideFaultMaxSeconds).toBeNull();
  });
});
