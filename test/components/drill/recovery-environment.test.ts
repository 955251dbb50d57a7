import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { RecoveryEnvironment, type RecoveryEnvironmentArgs } from "../../../components/drill/recovery-environment.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { secretsOfIdentity } from "../../../plan/identity-needs.ts";
import { days, hours, seconds } from "../../../plan/units.ts";
import { parseConfig } from "../../../runner/config.ts";
import { declare } from "../../harness/pulumi.ts";
import { refusal } from "../refusal.ts";

const image = `registry.example/blackroad-dr@sha256:${"a".repeat(64)}`;
const secrets = () => Object.fromEntries(secretsOfIdentity(blackroad, "restore").map((name) => [name, pulumi.secret(`value of ${name}`)]));
const s3 = { name: "s3", endpoint: "s3.us-west-2.amazonaws.com" } as const;
const args = (changes: Partial<RecoveryEnvironmentArgs> = {}): RecoveryEnvironmentArgs => ({
  plan: blackroad,
  drill: "dr-drill-20261123-ab12",
  image,
  timeToLive: hours(2),
  expiresAt: "2026-11-23T04:00:00Z",
  source: { backends: [s3, { name: "r2", endpoint: "account.r2.cloudflarestorage.com" }], secrets: secrets(), roleArn: "arn:aws:iam::111122223333:role/restore" },
  issuer: { name: "dr", kind: "ClusterIssuer" },
  ...changes,
});
const jobType = "kubernetes:batch/v1:Job";

describe("RecoveryEnvironment", () => {
  it("protects and keeps nothing, and puts everything into a namespace of its own", async () => {
    const declared = await declare(() => new RecoveryEnvironment("recovery", args()));
    expect(declared.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
    const spaces = declared.all.filter(({ custom, type }) => custom && type !== "kubernetes:core/v1:Namespace").map(({ inputs }) => (inputs["metadata"] as { readonly namespace?: string }).namespace);
    expect(new Set(spaces)).toEqual(new Set(["dr-drill-20261123-ab12"]));
  });

  it("says on the namespace when it is to be gone, by the configuration's time and not by the present", async () => {
    const declared = await declare(() => new RecoveryEnvironment("recovery", args()));
    expect(declared.one("kubernetes:core/v1:Namespace").inputs).toMatchObject({
      metadata: { name: "dr-drill-20261123-ab12", labels: { "dr.blackroad/drill": "dr-drill-20261123-ab12", "pod-security.kubernetes.io/enforce": "restricted" }, annotations: { "dr.blackroad/expires-at": "2026-11-23T04:00:00Z" } },
    });
  });

  it("gives dr a configuration that only reads, and only from the backends that are named", async () => {
    const declared = await declare(() => new RecoveryEnvironment("recovery", args({ source: { ...args().source, backends: [s3] } })));
    const { data } = declared.one("kubernetes:core/v1:ConfigMap").inputs as { readonly data: Readonly<Record<string, string>> };
    const config = parseConfig(JSON.parse(data["dr.json"] ?? ""), "dr.json");
    expect(config.readOnly).toBe(true);
    expect(config.backends).toMatchObject([{ name: "s3", bucket: "blackroad-backups-dr", endpoint: "s3.us-west-2.amazonaws.com" }]);
    expect(config.postgres).toBeUndefined();
    expect(config.redis).toBeUndefined();
  });

  it("has the secrets of a recovery as files, secret in the state, and none of any writer", async () => {
    const declared = await declare(() => new RecoveryEnvironment("recovery", args()));
    const made = declared.of("kubernetes:core/v1:Secret");
    expect(made.map(({ name }) => name).sort()).toEqual(secretsOfIdentity(blackroad, "restore").map((name) => `recovery-${name}`).sort());
    expect(made.some(({ name }) => name.includes("writer"))).toBe(false);
    for (const { inputs } of made) expect(inputs).toMatchObject({ immutable: true, stringData: { secret: { value: expect.stringContaining("value of") as string } } });
    expect(JSON.stringify(declared.all.filter(({ type }) => type !== "kubernetes:core/v1:Secret"))).not.toContain("value of");
  });

  it("lets the job out to the object stores alone, and nobody in", async () => {
    const declared = await declare(() => new RecoveryEnvironment("recovery", args()));
    const policies = declared.of("kubernetes:networking.k8s.io/v1:NetworkPolicy").map(({ inputs }) => inputs["spec"] as { readonly egress?: readonly unknown[]; readonly ingress?: readonly unknown[] });
    expect(policies).toHaveLength(2); // the namespace's denial, and the job's own
    const own = policies.find(({ egress }) => egress !== undefined);
    expect(own?.ingress).toEqual([]);
    const [udp, tcp, ...stores] = own?.egress ?? [];
    for (const dns of [udp, tcp]) expect(dns).toMatchObject({ ports: [{ port: 53 }] });
    expect(stores).toEqual([{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: expect.arrayContaining(["10.0.0.0/8"]) as string[] } }], ports: [{ port: 443, protocol: "TCP" }] }]);
  });

  it("takes the reader's role, by a service account that no token is mounted of", async () => {
    const declared = await declare(() => new RecoveryEnvironment("recovery", args()));
    expect(declared.one("kubernetes:core/v1:ServiceAccount").inputs).toMatchObject({ metadata: { name: "dr-restore", annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/restore" } }, automountServiceAccountToken: false });
  });

  it("runs one restricted job, which ends with the time to live, is tried once and goes by itself", async () => {
    const declared = await declare(() => new RecoveryEnvironment("recovery", args()));
    const job = declared.one(jobType);
    expect(job.inputs).toMatchObject({
      metadata: { name: "dr-drill-20261123-ab12-recover" },
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: 7_200,
        ttlSecondsAfterFinished: 7_200,
        template: { spec: { restartPolicy: "Never", automountServiceAccountToken: false, securityContext: { runAsNonRoot: true }, serviceAccountName: "dr-restore", containers: [{ image, command: ["dr", "--config", "/etc/dr/dr.json", "--json", "verify", "--all"], securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false } }] } },
      },
    });
    expect(job.dependencies).toEqual(expect.arrayContaining([declared.one("kubernetes:core/v1:ConfigMap").urn, ...declared.of("kubernetes:core/v1:Secret").map(({ urn }) => urn)]));
  });

  it("runs what it is told, and has room for the whole database on a volume that goes with the job", async () => {
    const declared = await declare(() => new RecoveryEnvironment("recovery", args({ command: ["recover", "full"], storageClass: "fast" })));
    const { template } = declared.one(jobType).inputs["spec"] as { readonly template: { readonly spec: { readonly containers: readonly { readonly command: readonly string[] }[]; readonly volumes: readonly object[] } } };
    expect(template.spec.containers[0]?.command.slice(-2)).toEqual(["recover", "full"]);
    expect(template.spec.volumes).toEqual(expect.arrayContaining([expect.objectContaining({ name: "work", ephemeral: expect.objectContaining({ volumeClaimTemplate: expect.objectContaining({ spec: expect.objectContaining({ storageClassName: "fast" }) as object }) as object }) as object })]));
  });

  it("tells the policies what it is, and keeps its secrets out of that", async () => {
    const declared = await declare(() => new RecoveryEnvironment("recovery", args()));
    const component = declared.one("blackroad:drill:RecoveryEnvironment");
    expect(component.outputs).toEqual({ namespace: "dr-drill-20261123-ab12", job: "dr-drill-20261123-ab12-recover", expiresAt: "2026-11-23T04:00:00Z", timeToLive: 7_200, backends: ["s3", "r2"], stores: [], access: "restorer", lifetime: "ephemeral" });
  });

  it("declares the stores that are asked for as restored servers of its own namespace", async () => {
    const stores = { region: "us-west-2", storageClass: "fast", servers: { redis: { version: "7.0.15", size: "8Gi" }, vectors: { version: "1.15.0", size: "20Gi", nodes: 1 } } };
    const declared = await declare(() => new RecoveryEnvironment("recovery", args({ stores })));
    expect(declared.one("blackroad:databases:RedisReplication").outputs).toMatchObject({ role: "restored", region: "us-west-2" });
    expect(declared.one("blackroad:databases:VectorStore").outputs).toMatchObject({ role: "restored" });
    expect(declared.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
    expect(JSON.stringify(declared.of("kubernetes:core/v1:ConfigMap").map(({ inputs }) => inputs))).not.toContain("us-east-1");
    expect(declared.one("blackroad:drill:RecoveryEnvironment").outputs).toMatchObject({ stores: ["redis", "vectors"] });
  });

  it.each<[string, Partial<RecoveryEnvironmentArgs>, string]>([
    ["a name that no sweep would know", { drill: "test" }, 'drill: "test" must be dr-drill-YYYYMMDD-…'],
    ["an image without a digest", { image: "blackroad-dr:latest" }, "names no digest"],
    ["a life of seconds", { timeToLive: seconds(30) }, "timeToLive: 30 s is less than a minute"],
    ["a life of days", { timeToLive: days(2) }, "timeToLive: 2 d is more than 1 d"],
    ["an expiry that is no time", { expiresAt: "tomorrow" }, 'expiresAt: "tomorrow" is no time'],
    ["an expiry with another zone", { expiresAt: "2026-11-23T04:00:00+02:00" }, "is no time like"],
    ["an expiry long after the drill's day", { expiresAt: "2027-11-23T04:00:00Z" }, "is more than 2 h after the day of dr-drill-20261123-ab12"],
    ["no backend", { source: { backends: [], secrets: {} } }, "source.backends: none is named"],
    ["one backend twice", { source: { ...args().source, backends: [s3, s3] } }, "source.backends: s3 is named twice"],
    ["a backend that jobs do not write to", { source: { ...args().source, backends: [{ ...s3, name: "archive" }] } }, "source.backends: archive holds nothing that a job wrote"],
    ["an endpoint with a scheme", { source: { ...args().source, backends: [{ ...s3, endpoint: "https://s3.example" }] } }, "without a scheme"],
    ["a missing secret", { source: { ...args().source, secrets: {} } }, "source.secrets: runner is missing"],
    ["an empty command", { command: [] }, "command: it is empty"],
    ["stores in a region that the plan does not know", { stores: { region: "mars-1", storageClass: "fast", servers: { redis: { version: "7.0.15", size: "8Gi" } } } }, "stores.region: mars-1 is no region of the plan"],
    ["no stores", { stores: { region: "us-west-2", storageClass: "fast", servers: {} } }, "stores.servers: none is named"],
    ["a repository that is not read", { source: { ...args().source, backends: [s3] }, stores: { region: "us-west-2", storageClass: "fast", servers: { postgres: { size: "1Gi", repository: "r2" } } } }, "stores.servers.postgres.repository: r2 is not among the source's backends"],
  ])("refuses %s", async (_, changes, message) => {
    expect(await refusal(() => new RecoveryEnvironment("recovery", args(changes)))).toContain(message);
  });
});
