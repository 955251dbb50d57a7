import { describe, expect, it } from "vitest";
import { ArgumentError } from "../../../components/component.ts";
import { PostgresCluster, type PostgresClusterArgs, type RepositoryAccess } from "../../../components/databases/postgres-cluster.ts";
import type { Topology } from "../../../components/topology.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { drJsonName } from "../../../plan/config/dr-json.ts";
import { parseConfig } from "../../../runner/config.ts";
import { declare, type Declaration, type Registered } from "../../harness/pulumi.ts";

const regions = ["us-east-1", "us-west-2", "eu-west-1"] as const;
const topology: Topology = { places: regions.map((region) => ({ region, namespace: "blackroad-dr", domain: `${region}.dr.example` })), exposure: { kind: "load-balancer", annotations: { "example.com/internal": "true" } } };
const image = `registry.example/blackroad-dr@sha256:${"0".repeat(64)}`;
const r2: RepositoryAccess = { backend: "r2", endpoint: "account.r2.cloudflarestorage.com", credentials: { kind: "secret-file", secret: "r2-writer" } };
const s3: RepositoryAccess = { backend: "s3", endpoint: "s3.us-west-2.amazonaws.com", credentials: { kind: "web-identity" } };
const common = { plan: blackroad, topology, image, issuer: { name: "dr", kind: "ClusterIssuer" }, storage: { className: "gp3-encrypted", size: "200Gi" }, lifetime: "kept" } as const;
const identity = { serviceAccount: "dr-postgres", roleArn: "arn:aws:iam::111122223333:role/blackroad-dr-postgres-us-east-1" };
const primary: PostgresClusterArgs = { ...common, role: { kind: "primary" }, region: "us-east-1", repositories: [r2, s3], identity };
const standby: PostgresClusterArgs = { ...primary, role: { kind: "standby" }, region: "us-west-2" };
const witness: PostgresClusterArgs = { ...common, role: { kind: "witness" }, region: "eu-west-1" };
const restored: PostgresClusterArgs = {
  ...common, lifetime: "ephemeral", region: "us-west-2", repositories: [{ ...r2, credentials: { kind: "secret-file", secret: "r2-reader" } }], identity: { serviceAccount: "dr-restore" },
  role: { kind: "restored", from: "latest", targetTime: "2026-11-22T21:18:00Z", repository: "r2", namespace: "dr-drill-20261122-abcd" },
};

const cluster = (args: PostgresClusterArgs) => declare(() => new PostgresCluster("postgres", args));
const statefulSets = (declared: Declaration<unknown>) => declared.of("kubernetes:apps/v1:StatefulSet");
const named = (all: readonly Registered[]) => all.map(({ inputs }) => (inputs["metadata"] as { name: string }).name).sort();
const files = (declared: Declaration<unknown>, name: string) => (declared.of("kubernetes:core/v1:ConfigMap").find(({ inputs }) => (inputs["metadata"] as { name: string }).name === name)?.inputs["data"] ?? {}) as Record<string, string>;
interface Container {
  readonly name: string;
  readonly command: string[];
  readonly env?: { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: object;
  readonly resources: object;
  readonly livenessProbe?: { readonly httpGet?: object };
  readonly readinessProbe?: { readonly httpGet?: object; readonly initialDelaySeconds?: number };
}
interface Pod {
  readonly initContainers?: Container[];
  readonly containers: Container[];
  readonly volumes: { readonly name: string; readonly secret?: { readonly secretName: string; readonly defaultMode: number } }[];
  readonly affinity?: object;
  readonly serviceAccountName: string;
}
const podOf = (resource: Registered) => (resource.inputs["spec"] as { template: { spec: Pod } }).template.spec;
const certificatesOf = (declared: Declaration<unknown>) => declared.all.filter(({ inputs }) => inputs["kind"] === "Certificate").map(({ inputs }) => inputs["spec"] as { secretName: string; commonName: string; dnsNames?: string[]; uris?: string[]; usages: string[] });

describe("PostgresCluster in the primary region", () => {
  it("declares the leader and its replica on two nodes, and a member of etcd", async () => {
    const declared = await cluster(primary);
    expect(named(statefulSets(declared))).toEqual(["etcd", "pg"]);
    const pg = declared.one("kubernetes:apps/v1:StatefulSet", "postgres-database-servers");
    expect(pg.inputs["spec"]).toMatchObject({ replicas: 2, podManagementPolicy: "Parallel" });
    expect(podOf(pg).affinity).toMatchObject({ podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/hostname" }] } });
    expect(named(declared.of("kubernetes:policy/v1:PodDisruptionBudget"))).toEqual(["etcd", "pg", "postgres"]);
    expect(named(declared.of("kubernetes:networking.k8s.io/v1:NetworkPolicy"))).toEqual(["postgres-database-network", "postgres-etcd-network", "postgres-proxy-network"]);
  });

  it("protects the volumes, and waits for no other region", async () => {
    const declared = await cluster(primary);
    const claims = declared.of("kubernetes:core/v1:PersistentVolumeClaim");
    expect(named(claims)).toEqual(["data-etcd-0", "data-pg-0", "data-pg-1"]);
    for (const claim of claims) expect(claim).toMatchObject({ protect: true, retainOnDelete: true });
    for (const one of [...statefulSets(declared), ...claims, ...declared.of("kubernetes:apps/v1:Deployment")]) expect(one.inputs["metadata"]).toMatchObject({ annotations: { "pulumi.com/skipAwait": "true" } });
  });

  it("makes each server reachable under its own name, inside alone", async () => {
    const declared = await cluster(primary);
    const service = declared.one("kubernetes:core/v1:Service", "postgres-database-pg-1").inputs;
    expect(service["metadata"]).toMatchObject({ name: "pg-1", annotations: { "external-dns.alpha.kubernetes.io/hostname": "pg-1.us-east-1.dr.example", "example.com/internal": "true" } });
    expect(service["spec"]).toMatchObject({ type: "LoadBalancer", publishNotReadyAddresses: true, selector: { "statefulset.kubernetes.io/pod-name": "pg-1" } });
  });

  it("writes the configuration without any secret, and fills it in before the server starts", async () => {
    const declared = await cluster(primary);
    const written = files(declared, "pg-files");
    expect(Object.keys(written).sort()).toEqual(["patroni-pg-0.yml", "patroni-pg-1.yml", "pgbackrest.conf", "secrets.sh"]);
    expect(written["patroni-pg-0.yml"]).toContain('synchronous_standby_names: "FIRST 1 (\\"us-east-1-pg-1\\", \\"us-west-2-pg-0\\")"');
    expect(written["patroni-pg-0.yml"]).toContain('shared_buffers: "2048MB"');
    expect(written["patroni-pg-0.yml"]).toContain('  - "etcd-0.eu-west-1.dr.example:2379"');
    const pod = podOf(declared.one("kubernetes:apps/v1:StatefulSet", "postgres-database-servers"));
    expect(pod.initContainers?.map(({ name }) => name)).toEqual(["secrets"]);
    expect(pod.initContainers?.[0]?.volumeMounts.map(({ mountPath }) => mountPath)).toContain("/run/secrets/dr/postgres-superuser");
    for (const { volumeMounts } of pod.containers) expect(volumeMounts.map(({ mountPath }) => mountPath).filter((path) => path.startsWith("/run/secrets/dr"))).toEqual([]);
    expect(pod.containers.map(({ command }) => command.join(" "))).toEqual(["patroni /run/dr/patroni-$(SERVER).yml", "pgbackrest --config=/run/dr/pgbackrest.conf --log-level-console=info server"]);
  });

  it("runs PostgreSQL and pgBackRest under the region's role, without a secret", async () => {
    const pod = podOf((await cluster(primary)).one("kubernetes:apps/v1:StatefulSet", "postgres-database-servers"));
    expect(pod.serviceAccountName).toBe("dr-postgres");
    for (const { env } of pod.containers) expect(env).toContainEqual({ name: "AWS_ROLE_ARN", value: identity.roleArn });
    expect(pod.volumes).toContainEqual({ name: "web-identity", projected: { defaultMode: 0o440, sources: [{ serviceAccountToken: { audience: "sts.amazonaws.com", expirationSeconds: 86_400, path: "token" } }] } });
  });

  it("gives every container limits, a restricted context and probes", async () => {
    const declared = await cluster(primary);
    for (const set of [...statefulSets(declared), ...declared.of("kubernetes:apps/v1:Deployment")]) {
      const pod = podOf(set);
      expect(pod).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
      for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
        expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
        expect(container.resources).toMatchObject({ requests: { memory: expect.any(String) as string }, limits: { memory: expect.any(String) as string } });
      }
      for (const { livenessProbe } of pod.containers) expect(livenessProbe).toBeDefined();
    }
  });

  it("has a certificate for each purpose, with names that clients use; those of clients name no host", async () => {
    const certificates = new Map(certificatesOf(await cluster(primary)).map((one) => [one.secretName, one]));
    expect([...certificates.keys()].sort()).toEqual(["etcd-peer-tls", "etcd-server-tls", "pg-jobs-tls", "pg-patroni-tls", "pg-pgbackrest-tls", "pg-postgres-tls", "postgres-health-tls"]);
    expect(certificates.get("pg-postgres-tls")).toMatchObject({ dnsNames: expect.arrayContaining(["pg-0.us-east-1.dr.example", "pg-1.us-east-1.dr.example", "postgres.blackroad-dr.svc.cluster.local", "postgres-local.blackroad-dr.svc.cluster.local"]) as string[] });
    for (const name of ["etcd-peer-tls", "pg-jobs-tls"]) expect(certificates.get(name)).toMatchObject({ usages: expect.not.arrayContaining(["server auth"]) as string[] });
    expect(certificates.get("etcd-peer-tls")?.dnsNames).toBeUndefined();
    expect(certificates.get("pg-jobs-tls")).toMatchObject({ commonName: "dr-jobs" });
    expect(files(await cluster(primary), "pg-files")["pgbackrest.conf"]).toContain("tls-server-auth=dr-jobs=main");
  });

  it("mounts keys where no other can read them, as PostgreSQL and pgBackRest ask", async () => {
    for (const set of statefulSets(await cluster(primary))) for (const { secret } of podOf(set).volumes) if (secret !== undefined) expect(secret.defaultMode).toBe(0o440);
  });

  it("lets nobody reach the REST interface but its own servers and proxies", async () => {
    const policy = (await cluster(primary)).one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "postgres-database-network").inputs["spec"] as { ingress: { from: object[]; ports: { port: number }[] }[]; egress: { to: object[]; ports: { port: number }[] }[] };
    expect(policy.ingress.map(({ ports }) => ports.map(({ port }) => port))).toEqual([[5432, 8008], [8432]]);
    expect(policy.ingress[1]?.from).toEqual([{ podSelector: { matchLabels: { "app.kubernetes.io/name": "postgres", "app.kubernetes.io/component": "postgres" } } }]);
    expect(policy.egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual(expect.arrayContaining([443, 2379]));
  });

  it("puts two proxies before it, and waits for their first checks before anybody is sent to them", async () => {
    const declared = await cluster(primary);
    const deployment = declared.one("kubernetes:apps/v1:Deployment");
    expect(deployment.inputs["spec"]).toMatchObject({ replicas: 2 });
    expect(podOf(deployment).containers[0]?.readinessProbe?.initialDelaySeconds).toBeGreaterThanOrEqual(10);
    expect(podOf(deployment).volumes).toContainEqual(expect.objectContaining({ name: "tls-health", secret: expect.objectContaining({ items: [{ key: "ca.crt", path: "ca.crt" }, { key: "tls.crt", path: "tls.crt" }, { key: "tls.key", path: "tls.crt.key" }] }) as object }));
    expect(declared.outputs.endpoints).toEqual({
      writer: { host: "postgres.blackroad-dr.svc.cluster.local", port: 5432 },
      reader: { host: "postgres-replica.blackroad-dr.svc.cluster.local", port: 5433 },
      local: { host: "postgres-local.blackroad-dr.svc.cluster.local", port: 5434 },
      pgbackrest: { host: "postgres-pgbackrest.blackroad-dr.svc.cluster.local", port: 8432 },
      clientSecret: "pg-jobs-tls",
      health: { host: "postgres-health.blackroad-dr.svc.cluster.local", port: 8443, path: "/healthz/writable" },
    });
    for (const { host } of [declared.outputs.endpoints?.writer, declared.outputs.endpoints?.local, declared.outputs.endpoints?.pgbackrest].filter((one) => one !== undefined)) expect(named(declared.of("kubernetes:core/v1:Service"))).toContain(host.split(".")[0]);
  });

  it("serves the health path to the outside where it is told to, and that path alone", async () => {
    expect((await cluster(primary)).of("kubernetes:networking.k8s.io/v1:Ingress")).toEqual([]);
    const declared = await cluster({ ...primary, health: { kind: "ingress", host: "us-east-1.blackroad.example", className: "nginx" } });
    expect(declared.one("kubernetes:networking.k8s.io/v1:Ingress").inputs["spec"]).toMatchObject({ ingressClassName: "nginx", rules: [{ host: "us-east-1.blackroad.example", http: { paths: [{ path: "/healthz/writable", pathType: "Exact", backend: { service: { name: "postgres-health", port: { number: 8443 } } } }] } }] });
  });

  it("says what policies ask for", async () => {
    expect((await cluster(primary)).one("blackroad:databases:PostgresCluster").outputs).toMatchObject({ role: "primary", region: "us-east-1", copies: 2, quorum: 2, rpo: 0, repositories: ["r2", "s3"], archiving: true, lifetime: "kept" });
  });
});

describe("PostgresCluster in the other regions", () => {
  it("is a replica that archives once it leads, and does not found the cluster", async () => {
    const declared = await cluster(standby);
    expect(declared.one("kubernetes:apps/v1:StatefulSet", "postgres-database-servers").inputs["spec"]).toMatchObject({ replicas: 1 });
    const patroni = files(declared, "pg-files")["patroni-pg-0.yml"] ?? "";
    expect(patroni).toContain('name: "us-west-2-pg-0"');
    expect(patroni).not.toMatch(/^bootstrap:/m);
    expect(patroni).toContain('archive_mode: "on"');
    expect(patroni).toContain('synchronous_standby_names: ""');
    expect(files(declared, "postgres-files")["haproxy.cfg"]).toContain("backend local_leader\n  server us-west-2-pg-0 pg-0.us-west-2.dr.example:5432 track leader/us-west-2-pg-0");
  });

  it("is a member of etcd alone as the witness", async () => {
    const declared = await cluster(witness);
    expect(named(statefulSets(declared))).toEqual(["etcd"]);
    expect(declared.of("kubernetes:apps/v1:Deployment")).toEqual([]);
    expect(certificatesOf(declared).map(({ secretName }) => secretName).sort()).toEqual(["etcd-peer-tls", "etcd-server-tls"]);
    expect(declared.outputs.endpoints).toBeUndefined();
    expect(declared.one("blackroad:databases:PostgresCluster").outputs).toMatchObject({ role: "witness", copies: 0, quorum: 2, archiving: false });
  });

  it("agrees with the others about etcd and the scope", async () => {
    const clusters: string[] = [];
    for (const args of [primary, standby, witness]) clusters.push(/initial-cluster: "(.*)"/.exec(files(await cluster(args), "etcd-files")["etcd.yml"] ?? "")?.[1] ?? "");
    expect(new Set(clusters)).toEqual(new Set(["us-east-1-etcd-0=https://etcd-0.us-east-1.dr.example:2380,us-west-2-etcd-0=https://etcd-0.us-west-2.dr.example:2380,eu-west-1-etcd-0=https://etcd-0.eu-west-1.dr.example:2380"]));
  });
});

describe("PostgresCluster from a backup", () => {
  it("is a cluster of its own in its own namespace, and archives nothing", async () => {
    const declared = await cluster(restored);
    expect(named(statefulSets(declared))).toEqual(["etcd-restored", "pg-restored"]);
    for (const { inputs } of declared.all.filter(({ custom }) => custom)) expect(inputs["metadata"]).toMatchObject({ namespace: "dr-drill-20261122-abcd" });
    const written = files(declared, "pg-restored-files");
    expect(Object.keys(written).sort()).toEqual([drJsonName, "patroni-pg-restored-0.yml", "recover.sh", "secrets.sh"]);
    expect(written["patroni-pg-restored-0.yml"]).toContain('scope: "blackroad-restored-dr-drill-20261122-abcd"');
    expect(written["patroni-pg-restored-0.yml"]).toContain('archive_mode: "off"');
    expect(files(declared, "etcd-restored-files")["etcd.yml"]).toContain('initial-cluster: "us-west-2-etcd-restored-0=https://etcd-restored-0.dr-drill-20261122-abcd.svc.cluster.local:2380"');
    expect(JSON.stringify(declared.all.filter(({ custom }) => custom).map(({ inputs }) => inputs))).not.toContain("us-east-1.dr.example");
  });

  it("recovers from one repository, with credentials that only read", async () => {
    const declared = await cluster(restored);
    const written = files(declared, "pg-restored-files");
    expect(written["recover.sh"]).toContain("recover postgres latest --backend r2 --time 2026-11-22T21:18:00Z --into /var/lib/postgresql/data/pgdata");
    const config = parseConfig(JSON.parse(written[drJsonName] ?? ""), "dr.json");
    expect(config).toMatchObject({ readOnly: true, backends: [{ name: "r2", credentialsFile: "/run/secrets/dr/r2-reader/value" }] });
    const pod = podOf(declared.one("kubernetes:apps/v1:StatefulSet", "postgres-database-servers"));
    expect(pod.initContainers?.map(({ name }) => name)).toEqual(["secrets", "recover"]);
    expect(pod.initContainers?.[1]?.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(expect.arrayContaining(["/run/secrets/dr/r2-reader", "/run/secrets/dr/pgbackrest-r2", "/var/lib/dr"]));
    expect(pod.containers.map(({ name }) => name)).toEqual(["patroni"]);
  });

  it("leaves nothing behind", async () => {
    for (const one of (await cluster(restored)).all) expect([one.name, one.protect, one.retainOnDelete]).toEqual([one.name, false, false]);
  });
});

describe("PostgresCluster refuses", () => {
  const refused: readonly (readonly [string, PostgresClusterArgs, string])[] = [
    ["another region's role", { ...primary, region: "us-west-2" }, "the role primary belongs to the plan's primary region, and us-west-2 is the secondary one"],
    ["an unknown region", { ...primary, region: "mars-1" }, '"mars-1" is no region of the plan'],
    ["a topology without a region", { ...primary, topology: { ...topology, places: topology.places.slice(0, 2) } }, "the plan's region eu-west-1 has no place"],
    ["an image without a digest", { ...primary, image: "blackroad-dr:latest" }, "names no digest"],
    ["no storage class", { ...primary, storage: { className: "", size: "200Gi" } }, "storage.className: it is empty"],
    ["a size that is none", { ...primary, storage: { className: "gp3", size: "200" } }, '"200" is no size'],
    ["a missing repository", { ...primary, repositories: [r2] }, "the plan's backend s3 is missing"],
    ["a repository twice", { ...primary, repositories: [r2, r2, s3] }, "r2 is named 2 times"],
    ["a backend without a repository", { ...primary, repositories: [r2, s3, { ...s3, backend: "archive" }] }, "archive holds no repository"],
    ["an endpoint with a scheme", { ...primary, repositories: [{ ...r2, endpoint: "https://r2" }, s3] }, '"https://r2" is no endpoint'],
    ["credentials that the plan has not", { ...primary, repositories: [{ ...r2, credentials: { kind: "secret-file", secret: "postgres-app" } }, s3] }, 'no credentials called "postgres-app"'],
    ["a web identity without a role", { ...primary, identity: { serviceAccount: "dr-postgres" } }, "identity.roleArn is missing"],
    ["an old PostgreSQL", { ...primary, versions: { postgres: "14.9", patroni: "4.0", pgbackrest: "2.55", etcd: "3.5", haproxy: "3.0" } }, "the plan asks for 15 or newer"],
    ["an old pgBackRest", { ...primary, versions: { postgres: "17", patroni: "4.0", pgbackrest: "2.36", etcd: "3.5", haproxy: "3.0" } }, "2.36 is older than 2.37, the first with the TLS server"],
    ["an old Patroni", { ...primary, versions: { postgres: "17", patroni: "3.0.2", pgbackrest: "2.55", etcd: "3.5", haproxy: "3.0" } }, "3.0.2 is older than 3.2, the first with failover_priority"],
    ["an old etcd", { ...primary, versions: { postgres: "17", patroni: "4.0", pgbackrest: "2.55", etcd: "3.4.23", haproxy: "3.0" } }, "versions.etcd: 3.4.23 is older than 3.5"],
    ["a version that is none", { ...primary, versions: { postgres: "17", patroni: "new", pgbackrest: "2.55", etcd: "3.5", haproxy: "3.0" } }, 'versions.patroni: "new" is no version'],
    ["networks that are none", { ...primary, networks: ["10.0.0.0"] }, '"10.0.0.0" is no range of addresses'],
    ["a host that is none", { ...primary, health: { kind: "ingress", host: "here", className: "nginx" } }, '"here" is no name of a host'],
    ["an ingress of no class", { ...primary, health: { kind: "ingress", host: "a.example", className: "" } }, "health.className: it is empty"],
    ["a witness with a database", { ...witness, repositories: [r2], identity }, "a witness has no database to archive"],
    ["a witness with an identity", { ...witness, identity }, "a witness speaks to no cloud"],
    ["a backup's name that a shell would read", { ...restored, role: { kind: "restored", from: "latest; rm -rf /", repository: "r2" } }, "role.from:"],
    ["a time without a zone", { ...restored, role: { kind: "restored", from: "latest", targetTime: "2026-11-22T21:18:00", repository: "r2" } }, "is no time with a zone"],
    ["another repository than the one to read", { ...restored, role: { kind: "restored", from: "latest", repository: "s3" } }, "a restored database reads s3 and is told of nothing else; it has r2"],
  ];
  it.each(refused)("%s", async (_, args, problem) => {
    const declared = await declare(() => {
      try {
        return new PostgresCluster("postgres", args);
      } catch (error) {
        return error;
      }
    });
    expect(declared.outputs).toBeInstanceOf(ArgumentError);
    expect(String(declared.outputs)).toContain(problem);
    expect(declared.all).toEqual([]);
  });

  it("no service account, as pods under the namespace's own would have no role", () => {
    const without: PostgresClusterArgs = { ...common, role: { kind: "primary" }, region: "us-east-1", repositories: [r2, s3] };
    expect(() => new PostgresCluster("postgres", without)).toThrow("identity: the pods need a service account");
  });
});
