import { describe, expect, it } from "vitest";
import { stackRoles } from "../../plan/names.ts";
import { examples } from "../../stacks/configuration/examples.ts";
import { ConfigurationError, readConfiguration } from "../../stacks/configuration/read.ts";
import { schemas } from "../../stacks/configuration/schema.ts";
import { exampleRecipients } from "../harness/example-recipients.ts";
import { exampleConfig } from "../harness/stack-examples.ts";

function problemsOf(raw: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfiguration("test", raw);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe("a stack's configuration", () => {
  it.each(stackRoles)("is shown whole by the example of %s", (role) => {
    const raw = exampleConfig(role, role === "global" ? { escrow: { recipients: exampleRecipients } } : {});
    expect(readConfiguration(role, raw)).toMatchObject({ role });
  });

  it("names no recipient of the escrow in its example: an operator must put his own", () => {
    expect(problemsOf(exampleConfig("global"))).toEqual([expect.stringContaining("blackroad-dr:escrow.recipients: Too small")]);
  });

  it.each([[undefined, "is missing"], ["tertiary", 'is "tertiary"']])("says which roles there are where the role is %s", (role, what) => {
    const [problem, ...others] = problemsOf(exampleConfig("primary", { role }));
    expect(others).toEqual([]);
    expect(problem).toContain(`blackroad-dr:role ${what}; expected one of global, primary, secondary, archive, drill`);
  });

  it("reports every missing, wrong and unknown key at once, by its full name and with an example", () => {
    const problems = problemsOf(exampleConfig("primary", { issuer: undefined, aws: { accountId: "1", administrators: [] }, topologie: {}, postgresAccess: { enabled: true } }));
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^blackroad-dr:issuer: .*for example: pulumi config set blackroad-dr:issuer '\{"name"/) as unknown,
        expect.stringContaining("blackroad-dr:aws.accountId: must be the account's twelve digits") as unknown,
        expect.stringContaining("blackroad-dr:aws.administrators: ") as unknown,
        "blackroad-dr:topologie is no key of this stack; remove it",
        expect.stringContaining("blackroad-dr:postgresAccess.host: ") as unknown,
      ]),
    );
  });

  it("leaves keys of the providers alone", () => {
    expect(problemsOf({ ...exampleConfig("drill"), "aws:profile": "dr" })).toEqual([]);
  });

  it("keeps an account's leading zeros", () => {
    expect(readConfiguration("drill", exampleConfig("drill", { aws: { accountId: "000022223333" } }))).toMatchObject({ aws: { accountId: "000022223333" } });
  });

  it("has an example for every key of every role", () => {
    const keys = new Set(Object.values(schemas).flatMap((schema) => Object.keys(schema.shape)));
    expect([...keys].filter((key) => examples[key] === undefined)).toEqual([]);
    expect(Object.keys(examples).filter((key) => !keys.has(key))).toEqual([]);
  });
});
