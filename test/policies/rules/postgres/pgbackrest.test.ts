import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource, judgeStack } from "../../../../policies/core/judge.ts";
import type { ResourceFacts } from "../../../../policies/core/resource.ts";
import type { Rule } from "../../../../policies/core/rule.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { pgbackrestEncrypted } from "../../../../policies/rules/postgres/encrypted.ts";
import { pgbackrestQueueMax } from "../../../../policies/rules/postgres/queue-max.ts";
import { pgbackrestRepositories } from "../../../../policies/rules/postgres/repositories.ts";
import { pgbackrestKeeps } from "../../../../policies/rules/postgres/retention.ts";
import { resource } from "../../../harness/policies.ts";

const settings = { plan: blackroad, production: true };
const repository = (name: string, bucket: string) => ({
  [`${name}-type`]: "s3", [`${name}-s3-bucket`]: bucket, [`${name}-cipher-type`]: "aes-256-cbc", [`${name}-cipher-pass`]: "@secret:x@",
  [`${name}-retention-full-type`]: "time", [`${name}-retention-full`]: "90", [`${name}-retention-archive`]: "8",
});
const sound: Readonly<Record<string, string | undefined>> = { ...repository("repo1", "blackroad-backups"), ...repository("repo2", "blackroad-backups-dr") };
const text = (changes: Readonly<Record<string, string | undefined>>, push = ""): string =>
  ["[global]", ...Object.entries({ ...sound, ...changes }).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`])), "[global:archive-push]", push, ""].join("\n");
const map = (content: unknown): ResourceFacts => resource("kubernetes:core/v1:ConfigMap", { data: { "pgbackrest.conf": content } });
const judge = (rule: Rule, content: unknown, ...others: readonly ResourceFacts[]) =>
  (rule.kind === "stack" ? judgeStack(rule, [map(content), ...others], settings) : judgeResource(rule, map(content), settings)).map(({ kind, path }) => `${kind} ${path.replace("data.pgbackrest.conf", "file")}`);

describe.each([pgbackrestRepositories, pgbackrestEncrypted, pgbackrestKeeps, pgbackrestQueueMax].map((rule) => [rule.id, rule] as const))("%s", (_, rule) => {
  it("lets a sound file pass, and says that it could not judge an unknown one", () => {
    expect(judge(rule, text({}))).toEqual([]);
    expect(judge(rule, unknown)).toEqual(["unjudged file"]);
  });
});

describe("a repository", () => {
  it.each<[Rule, string, string | undefined]>([
    ...["posix", undefined].map((value): [Rule, string, string | undefined] => [pgbackrestRepositories, "repo1-type", value]),
    ...["none", undefined].map((value): [Rule, string, string | undefined] => [pgbackrestEncrypted, "repo2-cipher-type", value]),
    ...["", undefined].map((value): [Rule, string, string | undefined] => [pgbackrestEncrypted, "repo1-cipher-pass", value]),
    [pgbackrestEncrypted, "repo1-storage-verify-tls", "n"],
    [pgbackrestEncrypted, "repo2-s3-verify-tls", "n"],
    ...["count", undefined].map((value): [Rule, string, string | undefined] => [pgbackrestKeeps, "repo1-retention-full-type", value]),
    ...["1", "89", "many", undefined].map((value): [Rule, string, string | undefined] => [pgbackrestKeeps, "repo2-retention-full", value]),
    ...["1", "7", undefined].map((value): [Rule, string, string | undefined] => [pgbackrestKeeps, "repo2-retention-archive", value]),
    [pgbackrestKeeps, "repo1-retention-archive-type", "incr"],
  ])("is judged by %o: %s is %j", (rule, key, value) => {
    expect(judge(rule, text({ [key]: value }))).toEqual([`violation file.global.${key}`]);
  });

  it.each(["main", "main:backup", "global:archive-push"])("is configured in global alone, not in [%s], which goes before it", (section) => {
    expect(judge(pgbackrestRepositories, `${text({})}\n[${section}]\nrepo1-cipher-type=none\n`)).toEqual([`violation file.${section}.repo1-cipher-type`]);
  });

  it("is missing where there are fewer than two, or one is in another bucket than the plan's", () => {
    expect(judge(pgbackrestRepositories, "")).toEqual(["violation file.global", "violation file.global", "violation file.global"]);
    const alone = Object.fromEntries(Object.keys(repository("repo2", "")).map((key) => [key, undefined]));
    expect(judge(pgbackrestRepositories, text(alone))).toEqual(["violation file.global", "violation file.global"]);
    expect(judge(pgbackrestRepositories, text({ "repo2-s3-bucket": "blackroad-backups" }))).toEqual(["violation file.global"]);
  });
});

describe("dropping WAL under pressure", () => {
  it("is seen in every section", () => {
    expect(judge(pgbackrestQueueMax, `${text({})}\n[main:archive-push]\narchive-push-queue-max=16MiB\n`)).toEqual(["violation file.main:archive-push.archive-push-queue-max"]);
  });

  const alert = (expr: string): ResourceFacts => resource("kubernetes:monitoring.coreos.com/v1:PrometheusRule", { spec: { groups: [{ rules: [{ expr }] }] } }, { name: "rules" });
  const watching = alert("blackroad_wal_age_seconds > 180");
  it.each<[string, string, readonly ResourceFacts[], readonly string[]]>([
    ["with its alert", "20GiB", [watching], []],
    ["without its alert", "20GiB", [], ["violation file.global:archive-push.archive-push-queue-max"]],
    ["with another alert", "20GiB", [alert("up == 0")], ["violation file.global:archive-push.archive-push-queue-max"]],
    ["before the alert fires", "16MiB", [watching], ["violation file.global:archive-push.archive-push-queue-max"]],
    ["at a size that is none", "plenty", [watching], ["violation file.global:archive-push.archive-push-queue-max"]],
  ])("is judged %s", (_, size, others, expected) => {
    expect(judge(pgbackrestQueueMax, text({}, `archive-push-queue-max=${size}`), ...others)).toEqual(expected);
  });
});
