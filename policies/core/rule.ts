import type { Plan } from "../../plan/types.ts";
import type { ResourceReader } from "./resource.ts";

export type Severity = "low" | "medium" | "high" | "critical";

/** What a rule found on one resource, or on a stack as a whole. */
export interface Finding {
  readonly rule: string;
  /** URN; the stack's name where no single resource is to blame. */
  readonly about: string;
  /** The property, as a path; empty: the resource as it is. */
  readonly path: string;
  /** `unjudged`: the value is not known at preview; a rule says so, and never keeps silent about it. */
  readonly kind: "violation" | "unjudged";
  readonly message: string;
}

export interface Settings {
  /** The plan that everything is held against. */
  readonly plan: Plan;
  /** Production is held to what a drill or a test stack is not. */
  readonly production: boolean;
  /** Against which dates are held; absent: none is. */
  readonly now?: Date;
}

/** How a rule says what it found. */
export interface Verdict extends Settings {
  /** The resource breaks the rule: what is wrong, at which path. The rule's fix is added. */
  violation(resource: ResourceReader, path: string, what: string): void;
  unjudged(resource: ResourceReader, path: string): void;
  /**
   * Judges one property by itself: `wrong` gives what is wrong with its value, `undefined` being an unset one. Where
   * the value is unknown, or nothing is wrong with what is known of it, it is reported as not judged. The usual way to
   * write a rule.
   */
  property(resource: ResourceReader, path: string | readonly (string | number)[], wrong: (value: unknown) => string | undefined): void;
  /** The same of how many members a list has, whatever they are; unset, or no list, is none. */
  count(resource: ResourceReader, path: string, wrong: (members: number) => string | undefined): void;
}

interface RuleBase {
  /** `s3-versioning`: also the policy's name, the configuration's key and what a waiver names. */
  readonly id: string;
  readonly severity: Severity;
  readonly enforcement: "mandatory" | "advisory";
  /** What happens without it, in a sentence: the incident or the loss. */
  readonly protects: string;
  /** What to do, in a sentence; every message ends with it. */
  readonly fix: string;
  /**
   * For every property that the rule reads, as `pathPattern` writes it, a value that breaks the rule; `unset` takes the
   * property away. A test breaks each in the shipped stacks and sees this rule catch it.
   */
  readonly breaks: Readonly<Record<string, unknown>>;
  /** Properties that only say what a resource is or what it belongs to; breaking one makes it another thing. */
  readonly selects?: readonly string[];
}

/** Takes a property away, in `breaks`. */
export const unset: unique symbol = Symbol("unset");

export interface ResourceRule extends RuleBase {
  readonly kind: "resource";
  /** Of the providers, e.g. `aws:s3/bucketVersioning:BucketVersioning`; empty: every type. */
  readonly types: readonly string[];
  judge(resource: ResourceReader, verdict: Verdict): void;
}

export interface StackRule extends RuleBase {
  readonly kind: "stack";
  /** Whether it needs all regions, and is left out where only one stack is seen (`dr plan --state` has all). */
  readonly scope: "stack" | "system";
  judge(resources: readonly ResourceReader[], verdict: Verdict): void;
}

export type Rule = ResourceRule | StackRule;
