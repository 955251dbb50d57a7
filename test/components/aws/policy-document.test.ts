import { describe, expect, it } from "vitest";
import { principalProblem, workloadProblem } from "../../../components/aws/arn.ts";
import { policyDocument, type Statement } from "../../../components/aws/policy-document.ts";
import { patternsMeet } from "../../../plan/arn-patterns.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { account, documentProblems, roleOf } from "../../harness/iam.ts";

describe("two patterns of names", () => {
  it.each([
    ["role/dr-*", "role/dr-postgres"],
    ["role/*-admin", "role/dr-*"],
    ["*", "anything"],
    ["a*c", "abbbc"],
    ["same", "same"],
    ["role/dr-?", "role/dr-1"],
    ["role/d?-postgres", "role/dr-*"],
  ])("%s and %s may be the same name", (one, other) => {
    expect(patternsMeet(one, other)).toBe(true);
    expect(patternsMeet(other, one)).toBe(true);
  });

  it.each([
    ["role/admin-*", "role/dr-*"],
    ["role/dr", "role/dr-postgres"],
    ["a*c", "abbb"],
    ["", "a"],
    ["?", ""],
    ["role/dr-??", "role/dr-1"],
  ])("%s and %s cannot", (one, other) => {
    expect(patternsMeet(one, other)).toBe(false);
    expect(patternsMeet(other, one)).toBe(false);
  });
});

describe("a pattern of principals", () => {
  it("is taken for a role, a user, a path, and for the roles of single sign-on", () => {
    for (const pattern of [roleOf("Admin"), roleOf("team/Admin*"), `arn:aws:iam::${account}:user/alice`, roleOf("aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Admin_*"), `arn:aws:iam::${account}:root`]) {
      expect(principalProblem("administrators", pattern, account), pattern).toBeUndefined();
    }
  });

  it("is refused where it is everybody, a group, or of another account", () => {
    for (const pattern of ["*", roleOf("*"), `arn:aws:iam::${account}:*`, `arn:aws:iam::${account}:group/admins`, roleOf("Admin", "444455556666"), "arn:aws:iam::*:role/Admin", ""]) {
      expect(principalProblem("administrators", pattern, account), pattern).toBeDefined();
    }
  });

  it("is a workload's only behind the plan's name", () => {
    expect(workloadProblem("encrypters", roleOf("blackroad-dr-*"), account, blackroad)).toBeUndefined();
    expect(workloadProblem("encrypters", roleOf("legacy-writer"), account, blackroad)).toBeUndefined();
    expect(workloadProblem("encrypters", roleOf("black*"), account, blackroad)).toContain("before the plan's name");
  });
});

describe("the check of a document", () => {
  const statement: Statement = { Sid: "Sample", Effect: "Allow", Principal: { AWS: roleOf("x") }, Action: "s3:GetObject", Resource: "arn:aws:s3:::sample/*" };
  const found = (one: object) => documentProblems(policyDocument({ ...statement, ...one }), "resource", () => "arn:aws:s3:::sample/key");

  it("finds nothing wrong with a right one", async () => {
    expect(await found({})).toEqual([]);
  });

  it.each([
    ["an action that does not exist", { Action: "s3:GetObjekt" }],
    ["a condition key that does not exist", { Condition: { StringEquals: { "s3:x-amz-colour": "red" } } }],
    ["a condition key of another action", { Condition: { NumericGreaterThan: { "s3:object-lock-remaining-retention-days": "1" } } }],
    ["an operator that does not exist", { Condition: { StringSame: { "aws:PrincipalArn": "x" } } }],
    ["no principal", { Principal: undefined }],
    ["an effect that does not exist", { Effect: "Refuse" }],
    ["what is no ARN", { Resource: "sample" }],
  ])("finds %s", async (_, one) => {
    expect(await found(one)).not.toEqual([]);
  });
});
