import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { judgeResource, judgeStack } from "../../../policies/core/judge.ts";
import type { ResourceFacts } from "../../../policies/core/resource.ts";
import type { ResourceRule, StackRule } from "../../../policies/core/rule.ts";
import { resource } from "../../harness/policies.ts";

type Props = Readonly<Record<string, unknown>>;

/** What a rule is tried with: each case by a name that says what is so. */
export interface Cases<Subject> {
  readonly passes: Readonly<Record<string, Subject>>;
  readonly fails: Readonly<Record<string, Subject>>;
  /** Values that only an `up` will tell. */
  readonly unjudged: Readonly<Record<string, Subject>>;
  readonly production?: boolean;
}

/** Tries a rule about one resource of its first type, or of the one that is given. */
export function tryResource(rule: ResourceRule, cases: Cases<Props>, type: string = rule.types[0] ?? ""): void {
  tryRule(rule.id, rule.fix, cases, (props, production) => judgeResource(rule, resource(type, props), { plan: blackroad, production }));
}

export function tryStack(rule: StackRule, cases: Cases<readonly ResourceFacts[]>): void {
  tryRule(rule.id, rule.fix, cases, (facts, production) => judgeStack(rule, facts, { plan: blackroad, production }));
}

function tryRule<Subject>(id: string, fix: string, { passes, fails, unjudged, production = true }: Cases<Subject>, judge: (subject: Subject, production: boolean) => readonly { readonly kind: string; readonly message: string }[]): void {
  describe(id, () => {
    it.each(Object.entries(passes))("lets pass %s", (_, subject) => {
      expect(judge(subject, production)).toEqual([]);
    });
    it.each(Object.entries(fails))("catches %s, and says what to do", (_, subject) => {
      const violations = judge(subject, production).filter(({ kind }) => kind === "violation");
      expect(violations).not.toEqual([]);
      for (const { message } of violations) expect(message).toContain(fix);
    });
    it.each(Object.entries(unjudged))("says that it cannot judge %s", (_, subject) => {
      expect(judge(subject, production).map(({ kind }) => kind)).toContain("unjudged");
      expect(judge(subject, production).filter(({ kind }) => kind === "violation")).toEqual([]);
    });
  });
}
