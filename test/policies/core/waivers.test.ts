import { describe, expect, it } from "vitest";
import type { Finding } from "../../../policies/core/rule.ts";
import { applyWaivers, hasExpired, waiverProblems, type Waiver } from "../../../policies/core/waivers.ts";

const urn = (name: string, stack = "primary") => `urn:pulumi:${stack}::blackroad-dr::aws:s3/bucket:Bucket::${name}`;
const finding = (name: string, more: Partial<Finding> = {}): Finding => ({ rule: "s3-versioning", about: urn(name), path: "", kind: "violation", message: `${name} is wrong.`, ...more });
const waiver = (more: Partial<Waiver> = {}): Waiver => ({ rule: "s3-versioning", resource: "primary/backups", reason: "moves out next month", expires: "2026-12-31", ...more });
const now = new Date("2026-11-23T02:00:00Z");

describe("a waiver", () => {
  it.each([["its stack and name", "primary/backups"], ["its URN", urn("backups")]])("lets off the resource that it names by %s, and no other", (_, resource) => {
    const { standing, waived } = applyWaivers([finding("backups"), finding("logs"), finding("backups", { about: urn("backups", "secondary") }), finding("backups", { rule: "s3-kms" })], [waiver({ resource })], now);
    expect(waived.map(({ finding: one }) => one.about)).toEqual([urn("backups")]);
    expect(standing).toHaveLength(3);
  });

  it("lets off a stack as a whole, where no resource of it is to blame", () => {
    const whole = finding("", { about: "primary", message: "primary: no CronJob runs verify." });
    expect(applyWaivers([whole, finding("backups")], [waiver({ resource: "primary/" })], now)).toMatchObject({ waived: [{ finding: { about: "primary" } }], standing: [{ about: urn("backups") }] });
  });

  it("holds through its last day and not an instant longer", () => {
    expect(hasExpired(waiver(), new Date("2026-12-31T23:59:59.999Z"))).toBe(false);
    expect(hasExpired(waiver(), new Date("2027-01-01T00:00:00Z"))).toBe(true);
  });

  it("fails with its own message once it has expired, and lets nothing off", () => {
    const expired = waiver({ expires: "2026-11-22" });
    const { standing, waived } = applyWaivers([finding("backups")], [expired], now);
    expect(waived).toEqual([]);
    expect(standing[0]?.message).toMatch(/^backups is wrong\. .*expired on 2026-11-22 \(moves out next month\): .*renew/);
    expect(waiverProblems({ waivers: [expired], rules: ["s3-versioning"], findings: [], stacks: new Set(["archive"]), now })).toMatchObject([{ kind: "expired", message: expect.stringContaining("expired on 2026-11-22") as unknown }]);
  });

  it("yields to a second one that still holds", () => {
    expect(applyWaivers([finding("backups")], [waiver({ expires: "2026-11-22" }), waiver()], now).standing).toEqual([]);
  });

  it("lets off what could not be judged, too", () => {
    expect(applyWaivers([finding("backups", { kind: "unjudged" })], [waiver()], now).standing).toEqual([]);
  });
});

describe("waivers that are wrong", () => {
  const problems = (one: Waiver, findings: readonly Finding[] = [], stacks = ["primary"]) => waiverProblems({ waivers: [one], rules: ["s3-versioning"], findings, stacks: new Set(stacks), now });

  it("are told: a rule that there is not", () => {
    expect(problems(waiver({ rule: "s3-verisoning" }))).toMatchObject([{ kind: "unknown-rule", message: expect.stringContaining("s3-verisoning") as unknown }]);
  });

  it("are told: one that matches nothing, in the stack that it is about", () => {
    expect(problems(waiver())).toMatchObject([{ kind: "unused" }]);
    expect(problems(waiver({ resource: urn("backups") }))).toMatchObject([{ kind: "unused" }]);
    expect(problems(waiver(), [finding("backups")])).toEqual([]);
    expect(problems(waiver(), [], ["archive"])).toEqual([]);
  });
});
