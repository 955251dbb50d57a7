import { z } from "zod";
import type { Waiver } from "./waivers.ts";

/** The policy that the pack's own configuration is given to; no rule may be called so. */
export const settingsId = "settings";

const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);

const waiver = z.strictObject({
  rule: z.string().min(1).describe("id of the rule"),
  resource: z.string().regex(/^(urn:pulumi:[^*]+::[^*]+|[^/*:]+\/[^*]*)$/).describe("its URN, or STACK/NAME, or STACK/ where no single resource is to blame; no pattern"),
  reason: z.string().regex(/\S.{8,}\S/, "is no reason that somebody could judge").describe("why it may be so"),
  expires: z.string().regex(/^\d{4}-\d{2}-\d{2}$/).refine(isDate, "is no day of the calendar").describe("the last day, in UTC: 2027-01-31"),
});

const packConfig = z.strictObject({
  production: z.boolean().default(true).describe("whether the stack is held to what production is held to"),
  waivers: z.array(waiver).default([]).describe("resources that are let off a rule for a time"),
});

export interface PackConfig {
  readonly production: boolean;
  readonly waivers: readonly Waiver[];
}
/** Where nothing is configured, or what is there cannot be read: nothing is let off. */
export const strictest: PackConfig = { production: true, waivers: [] };

const levels = ["advisory", "mandatory", "remediate", "disabled"] as const;
export type EnforcementLevel = (typeof levels)[number];
const level = z.enum(levels);
const levelOf = z.union([level, z.strictObject({ enforcementLevel: level }).transform(({ enforcementLevel }) => enforcementLevel)]);

/** Settings, and how strictly each rule is taken: the file that `--policy-pack-config` and `dr plan --settings` read. */
export interface PackSettings extends PackConfig {
  /** By rule; `all`: those without one of their own. */
  readonly enforcement: Readonly<Record<string, EnforcementLevel>>;
}

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly string[] };

function parsed<T>(schema: z.ZodType<T>, raw: unknown, at: string): Read<T> {
  const result = schema.safeParse(raw);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: result.error.issues.map((issue) => `${[at, ...issue.path].filter((part) => part !== "").join(".")}: ${issue.message}`) };
}

/** What the engine hands to the policy of the settings. */
export const readPackConfig = (raw: unknown): Read<PackConfig> => parsed(packConfig, raw, settingsId);

/** The whole file; every problem at once. */
export function readSettings(raw: unknown, rules: readonly string[]): Read<PackSettings> {
  const file = parsed(z.record(z.string(), z.unknown()), raw, "");
  if (!file.ok) return file;
  const { [settingsId]: own = {}, ...others } = file.value;
  const config = readPackConfig(own);
  const strictness = Object.entries(others).map(([rule, value]) => {
    if (rule !== "all" && !rules.includes(rule)) return { rule, read: { ok: false, problems: [`${rule}: there is no such rule`] } satisfies Read<EnforcementLevel> };
    return { rule, read: parsed(levelOf, value, rule) };
  });
  const problems = [config, ...strictness.map(({ read }) => read)].flatMap((read) => (read.ok ? [] : read.problems));
  if (!config.ok || problems.length > 0) return { ok: false, problems };
  return { ok: true, value: { ...config.value, enforcement: Object.fromEntries(strictness.flatMap(({ rule, read }) => (read.ok ? [[rule, read.value]] : []))) } };
}

/** The same as JSON schema, by which the engine checks it before the pack is asked. */
export const settingsProperties: Readonly<Record<string, object>> = z.object({ properties: z.record(z.string(), z.looseObject({})) }).parse(z.toJSONSchema(packConfig, { target: "draft-7", io: "input" })).properties;
