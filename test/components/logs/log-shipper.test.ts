import { describe, expect, it } from "vitest";
import { load } from "js-yaml";
import { z } from "zod";
import { ArgumentError } from "../../../components/component.ts";
import { LogShipper, type LogShipperArgs } from "../../../components/logs/log-shipper.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { judgeResource, judgeStack } from "../../../policies/core/judge.ts";
import { allRules } from "../../../policies/rules/all.ts";
import { factsOf } from "../../harness/policies.ts";
import { declare } from "../../harness/pulumi.ts";
import { declareStack } from "../../harness/stacks.ts";
import { image, objectStores } from "../jobs/fixture.ts";

const credentials = { r2: { secret: "log-shipper-r2", key: "credentials" }, s3: { secret: "log-shipper-s3", key: "credentials" } };
const args: LogShipperArgs = { plan: blackroad, region: "us-east-1", namespace: "blackroad-dr-logs", image, objectStores, credentials, lifetime: "kept" };
const declared = (more: Partial<LogShipperArgs> = {}) => declare(() => new LogShipper("logs", { ...args, ...more }));
const refusal = (more: Partial<LogShipperArgs>) =>
  declare(() => {
    try {
      return new LogShipper("logs", { ...args, ...more });
    } catch (error) {
      return error;
    }
  });

const mount = z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() });
const container = z.object({ name: z.string(), command: z.array(z.string()), env: z.array(z.object({ name: z.string(), value: z.string().optional() })), volumeMounts: z.array(mount) });
const daemonSet = z.object({ spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(container), securityContext: z.record(z.string(), z.unknown()), volumes: z.array(z.looseObject({ name: z.string() })) }) }) }) });
const podIn = (declaration: Awaited<ReturnType<typeof declared>>) => daemonSet.parse(declaration.one("kubernetes:apps/v1:DaemonSet").inputs).spec.template.spec;

describe("LogShipper", () => {
  it("runs a collector for each backend on every node, each with its own credentials, bucket and state", async () => {
    const result = await declared();
    const pod = podIn(result);
    expect(pod.containers.map(({ name, command }) => [name, command.at(-1)])).toEqual([["r2", "/etc/log-shipper/r2.yaml"], ["s3", "/etc/log-shipper/s3.yaml"]]);
    for (const { env, name, volumeMounts } of pod.containers) {
      expect(env).toContainEqual({ name: "AWS_SHARED_CREDENTIALS_FILE", value: "/run/secrets/log-shipper/credentials" });
      expect(volumeMounts.filter(({ readOnly }) => readOnly !== true)).toEqual([{ name: `state-${name}`, mountPath: "/var/lib/log-shipper" }]);
      expect(volumeMounts).toContainEqual({ name: `credentials-${name}`, mountPath: "/run/secrets/log-shipper", readOnly: true });
    }
    const { data } = z.object({ data: z.record(z.string(), z.string()) }).parse(result.one("kubernetes:core/v1:ConfigMap").inputs);
    const uploader = z.object({ exporters: z.object({ awss3: z.object({ s3uploader: z.object({ s3_bucket: z.string(), file_prefix: z.string() }) }) }) });
    const shown = Object.fromEntries(Object.entries(data).map(([name, text]) => [name, uploader.parse(load(text)).exporters.awss3.s3uploader]));
    expect(shown).toEqual({ "r2.yaml": { s3_bucket: "blackroad-backups", file_prefix: "${env:NODE_NAME}_" }, "s3.yaml": { s3_bucket: "blackroad-backups-dr", file_prefix: "${env:NODE_NAME}_" } });
  });

  it("sees one folder of its node, to read, as a member of root's group and not as root", async () => {
    const pod = podIn(await declared());
    expect(pod.volumes.filter((volume) => "hostPath" in volume)).toEqual([{ name: "logs", hostPath: { path: "/var/log/pods", type: "Directory" } }]);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 999, supplementalGroups: [0] });
  });

  it("has a namespace of its own, in which nothing talks but to the object stores", async () => {
    const result = await declared();
    expect(result.one("kubernetes:core/v1:Namespace").inputs).toMatchObject({ metadata: { name: "blackroad-dr-logs", labels: { "pod-security.kubernetes.io/enforce": "privileged" } } });
    expect(result.one("kubernetes:core/v1:Namespace")).toMatchObject({ protect: true, retainOnDelete: true });
    expect(result.of("kubernetes:networking.k8s.io/v1:NetworkPolicy")).toHaveLength(2);
    expect(result.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "logs-network").inputs).toMatchObject({ spec: { ingress: [] } });
  });

  it("takes a role in the place of S3's credentials, and a private store's authority", async () => {
    const stores = { ...objectStores, s3: { endpoint: "s3.example:8443", authority: "s3-authority" } };
    const result = await declared({ credentials: { r2: credentials.r2 }, roleArn: "arn:aws:iam::111122223333:role/logs", objectStores: stores });
    const s3 = podIn(result).containers.find(({ name }) => name === "s3");
    expect(s3?.env.map(({ name }) => name)).not.toContain("AWS_SHARED_CREDENTIALS_FILE");
    expect(s3?.env).toContainEqual({ name: "AWS_CA_BUNDLE", value: "/etc/log-shipper-authority/ca.crt" });
    expect(result.one("kubernetes:core/v1:ServiceAccount").inputs).toMatchObject({ metadata: { annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/logs" } } });
  });

  it("refuses what cannot be right, all at once", async () => {
    const { outputs } = await refusal({ region: "mars", namespace: "Logs", image: "dr:latest", objectStores: {}, credentials: {} });
    expect(outputs).toBeInstanceOf(ArgumentError);
    for (const problem of ["region: mars", "namespace: \"Logs\"", "names no digest", "backend r2 is missing", "credentials.r2: is missing", "credentials.s3: is missing, and no roleArn"]) expect(String(outputs)).toContain(problem);
  });

  it("breaks no policy where a stack declares it", async () => {
    const { all } = await declareStack(blackroad, "secondary", { logs: { credentials } });
    const facts = all.map((one) => factsOf(one, "secondary"));
    expect(facts.filter(({ type }) => type === "kubernetes:apps/v1:DaemonSet")).toHaveLength(1);
    const settings = { plan: blackroad, production: true };
    const findings = allRules.flatMap((rule) => (rule.kind === "resource" ? facts.flatMap((one) => judgeResource(rule, one, settings)) : rule.scope === "stack" ? judgeStack(rule, facts, settings) : []));
    expect(findings.filter(({ rule }) => rule !== "glacier-closed").map(({ message }) => message)).toEqual([]);
  });
});
