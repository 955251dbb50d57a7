import type { ResourceFacts } from "../../policies/core/resource.ts";
import { unknown } from "../../policies/core/value.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { stackRoles, type StackRole } from "../../plan/names.ts";
import { Secret, type Registered } from "./pulumi.ts";
import { declareStack } from "./stacks.ts";

/** A registration as policies see it. Secrets are shown decrypted to a policy, unknown values as unknown. */
export const factsOf = (one: Registered, stack: string): ResourceFacts => ({
  type: one.type,
  name: one.name,
  urn: one.urn,
  props: Object.fromEntries(Object.entries(one.inputs).map(([key, value]) => [key, plain(value)])),
  protect: one.protect,
  parent: one.parent === "" ? undefined : one.parent,
  propertyDependencies: one.propertyDependencies,
  stack,
});

function plain(value: unknown): unknown {
  if (value === "[unknown]") return unknown;
  if (value instanceof Secret) return plain(value.secret);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

const shipped = new Map<StackRole, Promise<readonly ResourceFacts[]>>();

/** Everything that a shipped stack registers, as its example configures it: declared once for a test file. */
export function shippedStack(role: StackRole): Promise<readonly ResourceFacts[]> {
  const known = shipped.get(role);
  if (known !== undefined) return known;
  const made = declareStack(blackroad, role).then(({ all }) => all.map((one) => factsOf(one, role)));
  shipped.set(role, made);
  return made;
}

/** All five, one after the other: mocks are the process's. */
export async function shippedStacks(): Promise<readonly ResourceFacts[]> {
  const all: ResourceFacts[] = [];
  for (const role of stackRoles) all.push(...(await shippedStack(role)));
  return all;
}

/** A resource for the test of one rule. */
export const resource = (type: string, props: Readonly<Record<string, unknown>>, more: Partial<ResourceFacts> = {}): ResourceFacts => ({
  type, name: "sample", urn: `urn:pulumi:test::blackroad-dr::${type}::${more.name ?? "sample"}`, props, protect: false, parent: undefined, propertyDependencies: {}, stack: "test", ...more,
});
