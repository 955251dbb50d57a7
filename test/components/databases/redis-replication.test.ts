import { describe, expect, it } from "vitest";
import { RedisReplication, type RedisReplicationArgs, type RestoredRedis } from "../../../components/databases/redis-replication.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { declare } from "../../harness/pulumi.ts";
import { certificateType, claimType, clusters, filesOf, namesOf, oneCluster, podOf, policyType, primary, problemsOf, secondary, serviceType, shortcomingsOf, statefulSetType, storeArgs, third, without } from "./store-fixture.ts";

const regionOf = { primary, standby: secondary, witness: third } as const;
const redis = (kind: "primary" | "standby" | "witness", more: Partial<RedisReplicationArgs> = {}): RedisReplicationArgs => ({ ...storeArgs(regionOf[kind], "7.0.15"), role: { kind }, ...more });
const restored: RestoredRedis = { kind: "restored", backup: "latest", access: { configMap: "dr-restore", workDirectory: "/var/lib/dr", serviceAccount: "dr-restore", secrets: ["runner", "r2-reader"] } };
const restoredArgs = (more: Partial<RedisReplicationArgs> = {}): RedisReplicationArgs => ({ ...storeArgs(primary, "7.0.15"), role: { ...restored, namespace: "dr-drill-1" }, lifetime: "ephemeral", ...more });
const declared = (args: RedisReplicationArgs) => declare(() => new RedisReplication("redis", args));

describe("Redis in the primary region", () => {
  it("is a primary and a near replica on different nodes, and a Sentinel", async () => {
    const all = await declared(redis("primary"));
    expect(all.one(statefulSetType, "redis-servers").inputs).toMatchObject({ metadata: { name: "redis", namespace: "dr-us-east-1" }, spec: { replicas: 2, podManagementPolicy: "Parallel" } });
    expect(podOf(all, "redis-servers").affinity?.podAntiAffinity).toHaveProperty("requiredDuringSchedulingIgnoredDuringExecution");
    expect(all.one(statefulSetType, "redis-sentinel-servers").inputs).toMatchObject({ metadata: { name: "redis-sentinel" }, spec: { replicas: 1 } });
    expect(namesOf(all, serviceType)).toEqual(["redis-0", "redis-1", "redis-nodes", "redis-sentinel-0", "redis-sentinel-nodes"]);
    expect(shortcomingsOf(all)).toEqual([]);
  });

  it("says where its servers are, and each Sentinel of the system", async () => {
    const all = await declared(redis("primary", { topology: clusters }));
    expect(all.outputs.masterName).toBe("blackroad");
    expect(all.outputs.authoritySecret).toBe("redis-tls");
    expect(all.outputs.servers).toEqual(["redis-0.blackroad-dr.svc.cluster.local:6379", "redis-1.blackroad-dr.svc.cluster.local:6379"]);
    expect(all.outputs.sentinels).toEqual([primary, secondary, third].map((region) => `redis-sentinel-0.${region}.dr.example:26379`));
    expect(all.one("blackroad:databases:RedisReplication").outputs).toMatchObject({ role: "primary", region: primary, copies: 2, quorum: 2, rpo: 0, appendFsync: blackroad.redis.appendFsync });
  });

  it("protects its volumes, which are claims of their own, unless it is a drill's", async () => {
    const kept = await declared(redis("primary"));
    expect(namesOf(kept, claimType)).toEqual(["data-redis-0", "data-redis-1"]);
    expect(kept.of(claimType).every(({ protect, retainOnDelete }) => protect && retainOnDelete)).toBe(true);
    expect(kept.of(claimType)[0]?.inputs).toMatchObject({ spec: { storageClassName: "gp3-encrypted", resources: { requests: { storage: "20Gi" } } } });
    expect(kept.one(statefulSetType, "redis-servers")).toMatchObject({ protect: false, ignoreChanges: ["spec.volumeClaimTemplates"] });
    const drill = await declared(redis("primary", { lifetime: "ephemeral" }));
    expect(drill.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
  });

  it("keeps an append-only file as the plan says, with TLS alone and no password in what is mounted", async () => {
    const files = filesOf(await declared(redis("primary")), "redis-files");
    expect(files["redis-0.conf"]).toContain(`appendfsync ${blackroad.redis.appendFsync}\n`);
    expect(files["redis-0.conf"]).toMatch(/^port 0\n(?:.*\n)*tls-port 6379$/m);
    expect(files["redis-0.conf"]).toContain("masterauth @secret:redis-replica@\n");
    expect(files["redis-1.conf"]).toContain("replica-announce-ip redis-1.dr-us-east-1.svc.cluster.local\n");
    expect(files["users.acl"]).toContain("user app on #@sha256:redis-app@ ");
    expect(files["redis-0.conf"]).not.toContain("replicaof");
  });

  it("renders secrets into memory by an init container, which alone is given them all", async () => {
    const pod = podOf(await declared(redis("primary")), "redis-servers");
    const [secrets] = pod.initContainers ?? [];
    expect(secrets?.command).toEqual(["/bin/sh", "/etc/dr-files/secrets.sh", "/run/secrets/dr", "/etc/dr-files", "/run/dr", "redis-0.conf", "redis-1.conf", "users.acl"]);
    expect(pod.volumes.find(({ name }) => name === "run")).toMatchObject({ emptyDir: { medium: "Memory" } });
    expect(pod.containers[0]?.volumeMounts.map(({ name }) => name)).toEqual(["files", "run", "tls", "data", "secret-redis-monitoring", "secret-sentinel"]);
  });

  it("has certificates for every name that its servers go by", async () => {
    const all = await declared(redis("primary", { topology: clusters }));
    const { spec } = all.one(certificateType, "redis-certificate").inputs as { spec: { dnsNames: string[]; issuerRef: unknown } };
    expect(spec.dnsNames).toEqual(expect.arrayContaining(["redis-0.us-east-1.dr.example", "redis-1.us-east-1.dr.example", "redis-0.blackroad-dr.svc.cluster.local", "localhost"]));
    expect(spec.issuerRef).toEqual({ group: "cert-manager.io", kind: "ClusterIssuer", name: "dr" });
  });

  it("lets its own pods, the other regions and its namespace's pods in, and goes nowhere else itself", async () => {
    const policy = (await declared(redis("primary"))).one(policyType, "redis-network").inputs as { spec: { ingress: { from: unknown[]; ports: unknown[] }[]; egress: { to: unknown[]; ports: { port: number }[] }[] } };
    expect(policy.spec.ingress).toHaveLength(1);
    expect(policy.spec.ingress[0]?.from).toContainEqual({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "dr-us-west-2" } }, podSelector: { matchLabels: { "app.kubernetes.io/name": "redis" } } });
    expect(policy.spec.ingress[0]?.from).toContainEqual({ podSelector: { matchLabels: {} } });
    expect(new Set(policy.spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port)))).toEqual(new Set([53, 6379, 26379]));
  });

  it("is reached by an internal load balancer and a name a server where each region is a cluster", async () => {
    const all = await declared(redis("primary", { topology: clusters, networks: ["10.8.0.0/16"] }));
    expect(all.one(serviceType, "redis-redis-0").inputs).toMatchObject({
      metadata: { name: "redis-0", annotations: { "external-dns.alpha.kubernetes.io/hostname": "redis-0.us-east-1.dr.example", "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal" } },
      spec: { type: "LoadBalancer", publishNotReadyAddresses: true, selector: { "statefulset.kubernetes.io/pod-name": "redis-0" } },
    });
    expect(JSON.stringify(all.one(policyType, "redis-network").inputs)).toContain('{"ipBlock":{"cidr":"10.8.0.0/16"}}');
  });

  it("makes new pods where a file of theirs changes, and not otherwise", async () => {
    const digest = async (args: RedisReplicationArgs) => JSON.stringify((await declared(args)).one(statefulSetType, "redis-servers").inputs["spec"]).match(/"blackroad.io\/files":"(\w+)"/)?.[1];
    expect(await digest(redis("primary"))).toBe(await digest(redis("primary", { lifetime: "ephemeral" })));
    expect(await digest(redis("primary"))).not.toBe(await digest(redis("primary", { version: "6.2.7" })));
  });
});

describe("Redis elsewhere", () => {
  it("is one far replica and a Sentinel in the secondary region, promoted after the near one", async () => {
    const all = await declared(redis("standby"));
    expect(namesOf(all, claimType)).toEqual(["data-redis-0"]);
    expect(filesOf(all, "redis-files")["redis-0.conf"]).toContain("replica-priority 100\n");
    expect(filesOf(await declared(redis("primary")), "redis-files")["redis-0.conf"]).toContain("replica-priority 10\n");
    expect(filesOf(all, "redis-sentinel-files")["redis-sentinel-0.conf"]).toContain(`sentinel monitor blackroad @primary-host@ 6379 2\n`);
    expect(shortcomingsOf(all)).toEqual([]);
  });

  it("is a Sentinel alone in the third region, without a volume", async () => {
    const all = await declared(redis("witness"));
    expect(namesOf(all, statefulSetType)).toEqual(["redis-sentinel"]);
    expect(all.of(claimType)).toEqual([]);
    expect(podOf(all, "redis-sentinel-servers").containers[0]?.command.at(-1)).toBe("redis-0.dr-us-east-1.svc.cluster.local");
    expect(all.outputs.servers).toEqual([]);
    expect(all.outputs.sentinels).toHaveLength(3);
    expect(shortcomingsOf(all)).toEqual([]);
  });
});

describe("Redis from a backup", () => {
  it("fetches it once before it starts, in its own namespace and under a name of its own", async () => {
    const all = await declared(restoredArgs());
    expect(namesOf(all, statefulSetType)).toEqual(["redis-restored"]);
    expect(all.outputs.servers).toEqual(["redis-restored-0.dr-drill-1.svc.cluster.local:6379"]);
    const pod = podOf(all, "redis-servers");
    expect(pod.serviceAccountName).toBe("dr-restore");
    expect(pod.initContainers?.map(({ name }) => name)).toEqual(["secrets", "recover"]);
    expect(filesOf(all, "redis-files")["recover.sh"]).toContain("dr --config /etc/dr/dr.json recover redis latest --into /var/lib/redis/data --socket /run/dr/recover.sock --force\n");
    expect(shortcomingsOf(all)).toEqual([]);
    expect(all.all.filter(({ protect }) => protect)).toEqual([]);
  });

  it("follows nobody, is watched by nobody and reaches nothing of production", async () => {
    const all = await declared(restoredArgs({ topology: clusters }));
    const files = filesOf(all, "redis-files");
    expect(files["redis-restored-0.conf"]).not.toMatch(/replicaof|masterauth|announce/);
    expect(Object.keys(files)).not.toContain("start.sh");
    expect(all.outputs.sentinels).toEqual([]);
    expect(podOf(all, "redis-servers").containers[0]?.command).toEqual(["redis-server", "/run/dr/$(SERVER).conf"]);
    const policy = all.one(policyType, "redis-network").inputs as { spec: { egress: { to: unknown[]; ports: { port: number }[] }[] } };
    expect(policy.spec.egress.map(({ ports }) => ports[0]?.port)).toEqual([53, 53, 443]);
    expect(JSON.stringify(policy.spec.egress.at(-1))).toContain('"except":["10.0.0.0/8"');
    const objectStores = [{ to: [{ kind: "addresses", cidr: "10.3.0.0/16" }], ports: [9000] }] as const;
    const near = await declared(restoredArgs({ role: { ...restored, access: { ...restored.access, objectStores } } }));
    expect(near.one(policyType, "redis-network").inputs).toHaveProperty("spec.egress.2", { to: [{ ipBlock: { cidr: "10.3.0.0/16" } }], ports: [{ port: 9000, protocol: "TCP" }] });
    expect(all.one(serviceType, "redis-redis-restored-0").inputs).toMatchObject({ spec: { type: "ClusterIP" } });
  });
});

describe("Redis refuses", () => {
  const refused = (args: RedisReplicationArgs) => problemsOf(() => new RedisReplication("redis", args));

  it("everything that is wrong at once", async () => {
    const problems = await refused(redis("primary", { region: secondary, image: "redis:7", version: "newest", issuer: { name: "", kind: "Issuer" }, networks: ["everywhere"], storage: { className: "", size: "20 GB" }, resources: { cpu: "1", memory: "much" } }));
    for (const problem of ["region: the role primary belongs to the plan's primary region, and us-west-2 is the secondary one", "image: ", "version: ", "issuer: ", 'networks: "everywhere"', "storage.className: ", 'storage.size: "20 GB"', 'resources.memory: "much"']) {
      expect(problems.filter((one) => one.startsWith(problem))).toHaveLength(1);
    }
    expect(problems).toHaveLength(8);
  });

  it("a region that is none of the plan's, a topology without it, a plan without Redis", async () => {
    expect(await refused(redis("primary", { region: "mars-1" }))).toEqual([expect.stringContaining('"mars-1" is no region of the plan')]);
    expect(await refused(redis("primary", { topology: { ...oneCluster, places: oneCluster.places.slice(1) } }))).toEqual(["topology: the plan's region us-east-1 has no place"]);
    expect(await refused(redis("primary", { plan: without("redis") }))).toContain("plan: it has no store redis");
  });

  it("a backup's name that a shell would read otherwise, and a recovery that could decrypt nothing", async () => {
    const role: RestoredRedis = { ...restored, backup: "latest; rm -rf /", namespace: "Drill", access: { ...restored.access, workDirectory: "work", secrets: [] } };
    const problems = await refused(restoredArgs({ role }));
    expect(problems).toEqual([expect.stringContaining("role.namespace: "), expect.stringContaining("role.backup: "), expect.stringContaining("role.access.workDirectory: "), expect.stringContaining("role.access.secrets: ")]);
  });
});
