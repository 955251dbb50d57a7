import type { PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import type { ResourceFacts } from "./resource.ts";
import { unknown } from "./value.ts";
import { stackOfUrn } from "./waivers.ts";

/** The parts of the engine's view of one resource that are read. */
type Seen = Pick<ResourceValidationArgs, "type" | "name" | "urn" | "props"> & { readonly opts: Pick<ResourceValidationArgs["opts"], "protect" | "parent"> };
type SeenInStack = Seen & { readonly parent?: Pick<PolicyResource, "urn">; readonly propertyDependencies: Readonly<Record<string, readonly Pick<PolicyResource, "urn">[]>> };

/**
 * One resource's inputs. The SDK throws wherever an unknown value is touched, and would call the whole rule off for
 * it: here each property is touched by itself, and an unknown one becomes `unknown`.
 */
export const factsOfResource = ({ type, name, urn, props, opts }: Seen): ResourceFacts => ({
  type, name, urn, props: membersOf(props), protect: opts.protect, parent: opts.parent, propertyDependencies: {}, stack: stackOfUrn(urn),
});

/** Everything that the stack holds, with what each property's value comes from. */
export const factsOfStack = (resources: readonly SeenInStack[]): readonly ResourceFacts[] =>
  resources.filter(({ type }) => type !== "pulumi:pulumi:Stack").map((one) => ({
    ...factsOfResource(one),
    parent: one.parent?.urn ?? one.opts.parent,
    propertyDependencies: Object.fromEntries(Object.entries(one.propertyDependencies).map(([property, from]) => [property, from.map(({ urn }) => urn)])),
  }));

function membersOf(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(object).map((key) => [key, memberOf(object, key)]));
}

function memberOf(object: object, key: string): unknown {
  try {
    return plain(Reflect.get(object, key));
  } catch (error) {
    if (isUnknownValue(error)) return unknown;
    throw error;
  }
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, index) => memberOf(value, String(index)));
  return typeof value === "object" && value !== null ? membersOf(value) : value;
}

/** The SDK's `UnknownValueError`, which it does not export. */
const isUnknownValue = (error: unknown): boolean => error instanceof Error && "unknownTypeSentinel" in error;
