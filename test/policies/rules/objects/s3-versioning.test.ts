import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource } from "../../../../policies/core/judge.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { s3Versioning as rule } from "../../../../policies/rules/objects/s3-versioning.ts";
import { resource } from "../../../harness/policies.ts";

const settings = { plan: blackroad, production: true };
const judge = (props: Readonly<Record<string, unknown>>) => judgeResource(rule, resource("aws:s3/bucketVersioning:BucketVersioning", props), settings);

describe("s3-versioning", () => {
  it("lets a bucket pass that keeps its versions", () => {
    expect(judge({ versioningConfiguration: { status: "Enabled" } })).toEqual([]);
  });

  it.each([["suspended", { versioningConfiguration: { status: "Suspended" } }], ["unset", {}]])("catches versions that are %s, and says what to do", (_, props) => {
    expect(judge(props)).toMatchObject([{ kind: "violation", path: "versioningConfiguration.status", message: expect.stringContaining(rule.fix) as unknown }]);
  });

  it("says what it could not judge before `up`", () => {
    expect(judge({ versioningConfiguration: { status: unknown } })).toMatchObject([{ kind: "unjudged", path: "versioningConfiguration.status" }]);
    expect(judge({ versioningConfiguration: unknown })).toMatchObject([{ kind: "unjudged" }]);
  });
});
