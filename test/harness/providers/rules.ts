import { createHash } from "node:crypto";
import type { Behaviour, Place, Refusal, Wanted } from "./behaviour.ts";
import type { Cloud, Thing } from "./cloud.ts";
import { schemaOf, type OutputKind } from "./sdk-schema.ts";
import { text, unknown, type Properties, type Wire } from "./wire.ts";

/** What is asked about: a resource of a type in a location. */
export interface Asked {
  readonly type: string;
  readonly inputs: Properties;
  readonly location: string;
  readonly cloud: Cloud;
  readonly place: Place;
}

/** How a type of resource behaves, beyond what its schema says. */
export interface Rule {
  /** The natural id; without it one is made up. */
  readonly id?: (asked: Asked) => string;
  /** What is said where the id is taken; without it, what exists is written over. */
  readonly taken?: string;
  /** Inputs whose absence a provider answers with a random name, which nobody finds again in a disaster. */
  readonly named?: readonly string[];
  /** Overrides of what the schema's kinds would give. */
  readonly outputs?: (asked: Asked, id: string) => Properties;
  /** Inputs that cannot be changed in place. */
  readonly replaces?: readonly string[];
  readonly prevented?: (asked: Asked) => string | undefined;
  readonly undeletable?: (thing: Thing, cloud: Cloud) => string | undefined;
  /** Whether it outlives its deletion, which is no error then. */
  readonly survives?: (thing: Thing) => boolean;
  readonly settled?: (thing: Thing, event: "there" | "gone", cloud: Cloud) => void;
}

export interface RuledProvider {
  readonly provider: string;
  readonly rules: Readonly<Record<string, Rule>>;
  readonly functions: Readonly<Record<string, (args: Properties, place: Place) => Properties>>;
  location(type: string, inputs: Properties, place: Place): string;
  resolved(type: string, id: string, place: Place): { readonly id: string; readonly location: string };
  /** Outputs that many types have, such as `arn`. */
  readonly common?: (asked: Asked, id: string) => Properties;
  /** Inputs that no type lets be changed in place. */
  readonly alwaysReplaces?: readonly string[];
}

export const hash = (value: string, length: number): string => createHash("sha256").update(value).digest("hex").slice(0, length);
/** A value of the hash's bits that looks like a UUID. */
export const uuid = (value: string): string => hash(value, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

const placeholder: Readonly<Record<OutputKind, (name: string, id: string) => Wire>> = {
  string: (name, id) => `${name}-of-${hash(`${name} ${id}`, 8)}`,
  number: () => 1,
  boolean: () => false,
  list: () => [],
  object: () => ({}),
};

/** A provider whose types are those of its SDK, and whose behaviour is the rules' where there is one for a type. */
export function ruled(provider: RuledProvider): Behaviour {
  const ruleOf = (type: string): Rule => provider.rules[type] ?? {};
  const asked = (wanted: Pick<Wanted, "type" | "inputs">, place: Place): Asked => ({ type: wanted.type, inputs: wanted.inputs, location: provider.location(wanted.type, wanted.inputs, place), cloud: place.cloud, place });
  return {
    provider: provider.provider,
    refused: (wanted) => refusals(wanted, ruleOf(wanted.type)),
    added: () => ({}),
    location: ({ type, inputs }, place) => provider.location(type, inputs, place),
    identity(wanted, place) {
      const { id, taken } = ruleOf(wanted.type);
      return { id: id?.(asked(wanted, place)) ?? madeUp(wanted, asked(wanted, place), provider.provider), taken };
    },
    outputs(wanted, id, place) {
      const computed = [...(schemaOf(wanted.type)?.computed ?? [])];
      if (id === undefined) return Object.fromEntries(computed.map(([name]) => [name, unknown]));
      const here = asked(wanted, place);
      const special = { ...provider.common?.(here, id), ...ruleOf(wanted.type).outputs?.(here, id) };
      const inSchema = Object.entries(special).filter(([name]) => schemaOf(wanted.type)?.computed.has(name) === true || (schemaOf(wanted.type)?.inputs.has(name) === true && !(name in wanted.inputs)));
      return { ...Object.fromEntries(computed.map(([name, kind]) => [name, placeholder[kind](name, id)])), ...Object.fromEntries(inSchema) };
    },
    secrets: (type) => schemaOf(type)?.secret ?? new Set(),
    prevented: (wanted, place) => ruleOf(wanted.type).prevented?.(asked(wanted, place)),
    undeletable: (thing, { cloud }) => ruleOf(thing.type).undeletable?.(thing, cloud),
    survives: (thing) => ruleOf(thing.type).survives?.(thing) ?? false,
    settled: (thing, event, { cloud }) => ruleOf(thing.type).settled?.(thing, event, cloud),
    replaces(type, changed) {
      const fixed = [...(ruleOf(type).replaces ?? []), ...(provider.alwaysReplaces ?? [])];
      return { properties: changed.filter((key) => fixed.includes(key)), deleteFirst: false };
    },
    resolved: (type, id, place) => provider.resolved(type, id, place),
    call: (token, args, place) => provider.functions[token]?.(args, place),
  };
}

function refusals(wanted: Wanted, rule: Rule): readonly Refusal[] {
  const schema = schemaOf(wanted.type);
  if (schema === undefined) return [{ property: "", reason: `no provider knows the type ${wanted.type}` }];
  return [
    ...Object.keys(wanted.inputs).filter((key) => !schema.inputs.has(key) && !key.startsWith("__")).map((key) => ({ property: key, reason: `${wanted.type} has no such property` })),
    ...(rule.named ?? []).filter((key) => wanted.inputs[key] === undefined).map((key) => ({ property: key, reason: "is not given: the provider would make up a random name" })),
  ];
}

/** The same resource of the same program gets the same id, unless what it had before still exists. */
function madeUp({ type, urn }: Wanted, { cloud, location }: Asked, provider: string): string {
  const kind = (type.split("/").at(-1) ?? type).split(":")[0] ?? type;
  const candidates = Array.from({ length: 1_000 }, (_, index) => `${kind}-${hash(`${urn} ${index}`, 17)}`);
  const id = candidates.find((one) => cloud.find({ provider, type, location, id: one }) === undefined);
  if (id === undefined) throw new Error(`a thousand of ${urn} exist already`);
  return id;
}

/**
 * An input that an id is made of.
 * @throws Error where it is not there, which a real provider would not accept either
 */
export function need(inputs: Properties, key: string): string {
  const value = text(inputs, key);
  if (value === undefined) throw new Error(`${key} is needed`);
  return value;
}
