import { describe, expect, it } from "vitest";
import { unknown } from "../../../../policies/core/value.ts";
import { matches, type Match } from "../../../../policies/rules/kubernetes/selector.ts";

const labels = { app: "postgres", part: "pg" };
const expression = (operator: string, key: string, values?: readonly unknown[]) => ({ matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }] });

describe("a label selector", () => {
  it.each<readonly [string, unknown, unknown, Match]>([
    ["nothing at all", undefined, labels, "no"],
    ["everything", {}, labels, "yes"],
    ["everything, whatever it is called", {}, unknown, "yes"],
    ["the labels", { matchLabels: { app: "postgres" } }, labels, "yes"],
    ["another label", { matchLabels: { app: "redis" } }, labels, "no"],
    ["labels that are not known", { matchLabels: { app: "postgres" } }, unknown, "unknown"],
    ["a label that is not known", { matchLabels: { app: "postgres" } }, { app: unknown }, "unknown"],
    ["what is not known itself", unknown, labels, "unknown"],
    ["one of several", expression("In", "app", ["redis", "postgres"]), labels, "yes"],
    ["none of several", expression("NotIn", "app", ["postgres"]), labels, "no"],
    ["a label that is there", expression("Exists", "app"), labels, "yes"],
    ["a label that is not there", expression("DoesNotExist", "app"), labels, "no"],
    ["by values that are not known", { matchExpressions: [{ key: "app", operator: "In", values: unknown }] }, labels, "unknown"],
    ["by a word that Kubernetes does not know", expression("Like", "app", ["p"]), labels, "unknown"],
  ])("of %s", (_, selector, given, match) => {
    expect(matches(selector, given)).toBe(match);
  });
});
