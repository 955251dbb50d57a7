import { conditionsOf, deniesEverybody, exceptsByName, policyBreaks, statementsOf, type Conditions } from "../../core/aws-policy.ts";
import { bucketOf } from "../../core/bucket-role.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { mayMeanWorkload } from "../workloads.ts";
import { ownNamesOf } from "./policies.ts";

const actions = ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"];

export const versionsDenied: ResourceRule = {
  kind: "resource",
  id: "versions-denied",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Whoever steals a writer's credentials deletes the versions of a bucket whose policy lets him.",
  fix: `Deny everybody ${actions.join(" and ")} on the objects, but for those who may break the glass, by aws:PrincipalArn.`,
  types: ["aws:s3/bucketPolicy:BucketPolicy"],
  breaks: policyBreaks("policy", { Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:root" }, Action: "s3:GetObject", Resource: "arn:aws:s3:::another/*", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
  selects: ["bucket"],
  judge(resource, verdict) {
    const statements = statementsOf(resource, "policy", verdict, "is not set: who may delete versions is each role's own policy's to say");
    if (statements === undefined) return;
    const names = ownNamesOf(resource);
    if (names === undefined || bucketOf(resource, verdict.plan) === "unknown") {
      verdict.unjudged(resource, "bucket");
      return;
    }
    const denied = statements.known.some((one) => deniesEverybody(one, actions, names.filter((name) => name.endsWith("/*"))) && onlyForPeople(conditionsOf(one), verdict.plan.name));
    if (!denied && statements.complete) verdict.violation(resource, "policy", `does not deny ${actions.join(" and ")} to everybody but people`);
  },
};

/** No condition, or one exception by name that no workload is part of. */
const onlyForPeople = (conditions: Conditions, plan: string): boolean => conditions.every(exceptsByName) && conditions.every(({ values }) => values.every((value) => !mayMeanWorkload(plan, value)));
