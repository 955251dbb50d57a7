import { createRequire } from "node:module";
import type { PolicyResource, ReportViolation, ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { factsOfResource, factsOfStack } from "../../../policies/core/from-policy.ts";
import { judgeResource } from "../../../policies/core/judge.ts";
import { policiesOf } from "../../../policies/core/pack.ts";
import { remedies } from "../../../policies/core/remedies.ts";
import type { Rule, StackRule } from "../../../policies/core/rule.ts";
import { unknown } from "../../../policies/core/value.ts";
import { allRules } from "../../../policies/rules/all.ts";
import { s3Versioning } from "../../../policies/rules/objects/s3-versioning.ts";

/** The SDK's own way to show values, which throws where one is unknown; importing the SDK itself starts nothing. */
const { unknownCheckingProxy, unknownStringValue, unknownObjectValue } = createRequire(import.meta.url)("@pulumi/policy/proxy") as { readonly unknownCheckingProxy: (value: object) => Record<string, unknown>; readonly unknownStringValue: string; unknownObjectValue: string };

const type = "aws:s3/bucketVersioning:BucketVersioning";
const urnOf = (name: string) => `urn:pulumi:primary::blackroad-dr::${type}::${name}`;
const opts = { protect: true, ignoreChanges: [], aliases: [], customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 }, additionalSecretOutputs: [] };
const never = () => { throw new Error("not asked"); };
/** The SDK has the caller name the type of its own configuration. */
const asConfig = (config: object): ResourceValidationArgs["getConfig"] => (() => config) as ResourceValidationArgs["getConfig"];
const argsOf = (props: object, config: object = {}): ResourceValidationArgs => ({ type, name: "a", urn: urnOf("a"), props: unknownCheckingProxy(props), opts, stackTags: new Map(), isType: never, asType: never, getConfig: asConfig(config), notApplicable: never });
const member = (name: string, more: Partial<PolicyResource> = {}): PolicyResource => ({ type, name, urn: urnOf(name), props: unknownCheckingProxy({}), opts, dependencies: [], propertyDependencies: {}, isType: never, asType: never, ...more });
const stackArgs = (...resources: PolicyResource[]): StackValidationArgs => ({ resources, stackTags: new Map(), getConfig: never, notApplicable: never });

describe("the engine's view of a resource", () => {
  it("has each unknown value by itself, at any depth, and everything else as it is", () => {
    const { props, protect, stack } = factsOfResource(argsOf({ bucket: unknownStringValue, versioningConfiguration: { status: "Enabled", mfaDelete: unknownStringValue }, rules: [{ id: "a" }, unknownObjectValue] }));
    expect({ protect, stack }).toEqual({ protect: true, stack: "primary" });
    expect(props).toEqual({ bucket: unknown, versioningConfiguration: { status: "Enabled", mfaDelete: unknown }, rules: [{ id: "a" }, unknown] });
  });

  it("has what it belongs to and where its values come from, where the whole stack is seen", () => {
    const parent = member("parent");
    const facts = factsOfStack([parent, member("child", { parent, propertyDependencies: { bucket: [parent] } })]);
    expect(facts[1]).toMatchObject({ parent: parent.urn, propertyDependencies: { bucket: [parent.urn] } });
  });
});

describe("the pack", () => {
  const everyStack: StackRule = { kind: "stack", scope: "stack", id: "two-of-them", severity: "high", enforcement: "mandatory", protects: "One can be lost.", fix: "Have two.", breaks: {}, judge: (resources, verdict) => { if (resources[0] !== undefined && resources.length < 2) verdict.violation(resources[0], "", "is alone"); } };
  const wholeSystem: StackRule = { ...everyStack, id: "all-regions", scope: "system" };
  const waiver = { rule: "s3-versioning", resource: "primary/a", reason: "moves out next month", expires: "2026-12-31" };

  /** The engine's order: every policy of a resource, and at the end those of the stack. */
  function ask(props: object, config: object = {}, rules: readonly Rule[] = [s3Versioning, everyStack, wholeSystem]) {
    const said: { policy: string; level: string | undefined; message: string; urn: string | undefined }[] = [];
    const policies = policiesOf({ rules, plan: blackroad, remedies, now: () => new Date("2026-11-23T02:00:00Z") });
    const report = (policy: string, level: string | undefined): ReportViolation => (message, urn) => void said.push({ policy, level, message, urn });
    const args = argsOf(props, config);
    for (const one of policies) if ("validateResource" in one && typeof one.validateResource === "function") void one.validateResource(args, report(one.name, one.enforcementLevel));
    for (const one of policies) if ("validateStack" in one) void one.validateStack(stackArgs(member("a"), member("b")), report(one.name, one.enforcementLevel));
    return said;
  }
  const bad = { versioningConfiguration: { status: "Suspended" } };

  it("tells the engine which resource breaks what", () => {
    expect(ask(bad)).toMatchObject([{ policy: "s3-versioning", level: "mandatory", urn: urnOf("a"), message: expect.stringContaining('is "Suspended"') as unknown }]);
  });

  it("advises of what it could not judge, and never keeps silent about it", () => {
    expect(ask({ versioningConfiguration: { status: unknownStringValue } })).toMatchObject([{ policy: "not-judged", level: "advisory", message: "s3-versioning could not judge a (versioningConfiguration.status)" }]);
  });

  it("shows the whole stack's rules the inputs of what has no outputs yet", () => {
    const status: StackRule = { ...everyStack, id: "status", judge: (resources, verdict) => { for (const one of resources.slice(0, 1)) verdict.property(one, "versioningConfiguration.status", (value) => `is ${String(value)}`); } };
    expect(ask(bad, {}, [status])).toMatchObject([{ policy: "status", message: expect.stringContaining("is Suspended") as unknown }]);
  });

  it("leaves rules about all regions to `dr plan --state`", () => {
    expect(policiesOf({ rules: [wholeSystem], plan: blackroad, remedies: [], now: () => new Date() }).map(({ name }) => name)).toEqual(["settings", "waivers", "unused-waivers", "not-judged"]);
  });

  it("heeds waivers while they hold", () => {
    expect(ask(bad, { waivers: [waiver] })).toEqual([]);
    expect(ask(bad, { waivers: [{ ...waiver, expires: "2026-11-22" }] }).map(({ policy, level }) => [policy, level])).toEqual([["s3-versioning", "mandatory"], ["waivers", "mandatory"]]);
    expect(ask({ versioningConfiguration: { status: "Enabled" } }, { waivers: [waiver] })).toMatchObject([{ policy: "unused-waivers", level: "advisory" }]);
    expect(ask(bad, { waivers: [{ ...waiver, rule: "s3-verisoning" }] }).map(({ policy }) => policy)).toEqual(["s3-versioning", "waivers"]);
  });

  it("lets nothing off where its settings cannot be read", () => {
    expect(ask(bad, { waivers: [{ ...waiver, expires: "2026-02-30" }] }).map(({ policy }) => policy)).toEqual(["settings", "s3-versioning"]);
  });

  it("gives every rule its severity, what it protects from, and how to mend it", () => {
    for (const policy of policiesOf({ rules: allRules, plan: blackroad, remedies, now: () => new Date() }).filter(({ name }) => allRules.some(({ id }) => id === name))) {
      expect(policy).toMatchObject({ severity: expect.any(String) as unknown, remediationSteps: expect.any(String) as unknown, description: expect.any(String) as unknown });
      expect(["mandatory", "advisory"], "remediation is off until it is asked for").toContain(policy.enforcementLevel);
    }
  });
});

/** As the engine would show it again: without what is not known. */
const plainOf = (props: Readonly<Record<string, unknown>>): Record<string, unknown> => Object.fromEntries(Object.entries(props).filter(([, value]) => value !== unknown));

describe("remedies", () => {
  it.each(remedies.map((remedy) => remedy.rule))("of %s is a rule's, which is kept afterwards, whatever else is unknown", async (id) => {
    const rule = allRules.find((one) => one.id === id);
    if (rule?.kind !== "resource") throw new Error(`there is no rule ${id} about one resource`);
    const [policy] = policiesOf({ rules: [rule], plan: blackroad, remedies, now: () => new Date() }).filter(({ name }) => name === id);
    if (policy === undefined || !("remediateResource" in policy)) throw new Error(`${id} has no remedy`);
    const args = { ...argsOf({ bucket: unknownStringValue }), type: rule.types[0] ?? "" };
    const mended: unknown = await policy.remediateResource(args);
    const facts = factsOfResource({ ...args, props: Object(mended) as Record<string, unknown> });
    expect(judgeResource(rule, facts, { plan: blackroad, production: true }).filter(({ kind, path }) => kind === "violation" && path !== "bucket")).toEqual([]);
    expect(await policy.remediateResource({ ...args, type: "aws:s3/bucket:Bucket" })).toBeUndefined();
    expect(await policy.remediateResource({ ...args, props: unknownCheckingProxy(plainOf(facts.props)) }), "what keeps the rule is left alone").toBeUndefined();
  });

  it("takes an abortion away that comes too early, as S3 does the earliest of them, and keeps the rest of its rule", () => {
    const mended = remedies.find(({ rule }) => rule === "s3-abort-multipart")?.mend({ rules: [{ id: "too-early", status: "Enabled", filter: {}, abortIncompleteMultipartUpload: { daysAfterInitiation: 0 } }, { id: "own", status: "Enabled", filter: {}, expiration: { days: 97 }, abortIncompleteMultipartUpload: { daysAfterInitiation: 0 } }] }, blackroad);
    expect(mended).toEqual({ rules: [{ id: "own", status: "Enabled", filter: {}, expiration: { days: 97 } }, { id: "abort-uploads-by-policy", status: "Enabled", filter: {}, abortIncompleteMultipartUpload: { daysAfterInitiation: 1 } }] });
  });
});
