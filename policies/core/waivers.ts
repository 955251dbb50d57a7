import type { Finding } from "./rule.ts";

/** Lets one resource off one rule, for a time. */
export interface Waiver {
  readonly rule: string;
  /** Its URN, or `STACK/NAME`; `STACK/` where no single resource is to blame, and `PLAN/` where no single stack is. */
  readonly resource: string;
  /** Why it may be so, for whoever reads the next review. */
  readonly reason: string;
  /** The last day, in UTC, that it holds: `2027-01-31`. */
  readonly expires: string;
}

/** What became of the findings. */
export interface Waived {
  /** What stands: those that nothing waives, and those whose waiver has expired, which say so. */
  readonly standing: readonly Finding[];
  readonly waived: readonly { readonly finding: Finding; readonly waiver: Waiver }[];
}

/** What is wrong with the waivers themselves. */
export interface WaiverProblem {
  readonly waiver: Waiver;
  /** `unused` is advice; the others fail: a typing error or a forgotten date leaves things other than they look. */
  readonly kind: "expired" | "unknown-rule" | "unused";
  readonly message: string;
}

const day = 24 * 60 * 60 * 1_000;

/** The stack and the name that a URN ends with. */
const partsOf = (urn: string): { readonly stack: string; readonly name: string } => {
  const parts = urn.split("::");
  return { stack: parts[0]?.replace(/^urn:pulumi:/, "") ?? "", name: parts.slice(3).join("::") };
};
export const stackOfUrn = (urn: string): string => partsOf(urn).stack;

/** The whole of the last day counts. */
export const hasExpired = (waiver: Waiver, now: Date): boolean => now.getTime() >= Date.parse(`${waiver.expires}T00:00:00Z`) + day;

export function covers(waiver: Waiver, finding: Pick<Finding, "rule" | "about">): boolean {
  const { stack, name } = partsOf(finding.about);
  return waiver.rule === finding.rule && (waiver.resource === finding.about || waiver.resource === `${stack}/${name}`);
}

const expiryOf = ({ rule, resource, reason, expires }: Waiver): string => `the waiver of ${rule} for ${resource} expired on ${expires} (${reason}): mend the resource, or renew the waiver with a reason that still holds`;

export function applyWaivers(findings: readonly Finding[], waivers: readonly Waiver[], now: Date): Waived {
  const standing: Finding[] = [];
  const waived: { finding: Finding; waiver: Waiver }[] = [];
  for (const finding of findings) {
    const own = waivers.filter((one) => covers(one, finding));
    const valid = own.find((one) => !hasExpired(one, now));
    const [expired] = own;
    if (valid !== undefined) waived.push({ finding, waiver: valid });
    else standing.push(expired === undefined || finding.kind === "unjudged" ? finding : { ...finding, message: `${finding.message} (${expiryOf(expired)})` });
  }
  return { standing, waived };
}

export interface Judged {
  readonly waivers: readonly Waiver[];
  /** Ids of all rules, also of those that were turned off. */
  readonly rules: readonly string[];
  /** Everything that was found, before the waivers. */
  readonly findings: readonly Pick<Finding, "rule" | "about">[];
  /** Which stacks were looked at: a waiver of another one is not missed here. */
  readonly stacks: ReadonlySet<string>;
  readonly now: Date;
}

export function waiverProblems({ waivers, rules, findings, stacks, now }: Judged): readonly WaiverProblem[] {
  return waivers.flatMap((waiver): WaiverProblem[] => {
    const { rule, resource } = waiver;
    if (!rules.includes(rule)) return [{ waiver, kind: "unknown-rule", message: `a waiver for ${resource} names the rule ${rule}, which there is not` }];
    if (hasExpired(waiver, now)) return [{ waiver, kind: "expired", message: expiryOf(waiver) }];
    const stack = resource.startsWith("urn:pulumi:") ? stackOfUrn(resource) : (resource.split("/")[0] ?? "");
    if (!stacks.has(stack)) return [];
    if (findings.some((finding) => covers(waiver, finding))) return [];
    return [{ waiver, kind: "unused", message: `the waiver of ${rule} for ${resource} matches nothing: the resource is not there (it is named by its URN or as STACK/NAME, a stack as a whole as STACK/), or keeps the rule, and the waiver can go` }];
  });
}
