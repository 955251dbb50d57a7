import { describe, expect, it } from "vitest";
import { VaultCluster, vaultServiceAccount, type VaultClusterArgs } from "../../../components/databases/vault-cluster.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { declare } from "../../harness/pulumi.ts";
import { certificateType, claimType, filesOf, namesOf, podOf, policyType, primary, problemsOf, secondary, serviceType, shortcomingsOf, statefulSetType, storeArgs, without } from "./store-fixture.ts";

const sealRoleArn = "arn:aws:iam::111122223333:role/blackroad-dr-vault-seal-us-east-1";
const vault = (more: Partial<VaultClusterArgs> = {}): VaultClusterArgs => ({ ...storeArgs(primary, "2.4.1"), role: { kind: "primary" }, sealRoleArn, ...more });
const declared = (args: VaultClusterArgs) => declare(() => new VaultCluster("vault", args));

describe("Vault in the primary region", () => {
  it("is three servers on three nodes, each with a volume that is protected", async () => {
    const all = await declared(vault());
    expect(all.one(statefulSetType).inputs).toMatchObject({ metadata: { name: "vault" }, spec: { replicas: 3 } });
    expect(podOf(all, "vault-servers").affinity?.podAntiAffinity).toHaveProperty("requiredDuringSchedulingIgnoredDuringExecution");
    expect(namesOf(all, claimType)).toEqual(["data-vault-0", "data-vault-1", "data-vault-2"]);
    expect(all.of(claimType).every(({ protect, retainOnDelete }) => protect && retainOnDelete)).toBe(true);
    expect(all.one("kubernetes:policy/v1:PodDisruptionBudget").inputs).toMatchObject({ spec: { maxUnavailable: 1 } });
    expect(shortcomingsOf(all)).toEqual([]);
  });

  it("is sealed by the key's replica of its own region, in each server's file", async () => {
    const files = filesOf(await declared(vault()), "vault-files");
    expect(Object.keys(files)).toEqual(["vault-0.hcl", "vault-1.hcl", "vault-2.hcl"]);
    for (const text of Object.values(files)) expect(text).toContain('seal "awskms" {\n  region = "us-east-1"\n  kms_key_id = "alias/blackroad-vault-seal"\n}');
    expect(files["vault-1.hcl"]).toContain('node_id = "vault-1"');
    expect(files["vault-1.hcl"]?.match(/leader_api_addr = "(.*)"/g)).toEqual(['leader_api_addr = "https://vault-0.dr-us-east-1.svc.cluster.local:8200"', 'leader_api_addr = "https://vault-2.dr-us-east-1.svc.cluster.local:8200"']);
  });

  it("assumes the seal's role by its service account, and is given no right in Kubernetes", async () => {
    const all = await declared(vault());
    expect(vaultServiceAccount).toBe("vault");
    expect(all.one("kubernetes:core/v1:ServiceAccount").inputs).toMatchObject({ metadata: { name: "vault", annotations: { "eks.amazonaws.com/role-arn": sealRoleArn } }, automountServiceAccountToken: false });
    expect(podOf(all, "vault-servers").serviceAccountName).toBe("vault");
    expect(all.all.filter(({ type }) => type.includes("rbac"))).toEqual([]);
  });

  it("sends clients to servers that are ready, and lets servers find each other before they are", async () => {
    const all = await declared(vault());
    expect(all.outputs.address).toBe("https://vault.dr-us-east-1.svc.cluster.local:8200");
    expect(all.outputs.servers[2]).toBe("https://vault-2.dr-us-east-1.svc.cluster.local:8200");
    expect(all.one(serviceType, "vault-clients").inputs).not.toHaveProperty("spec.publishNotReadyAddresses");
    expect(all.one(serviceType, "vault-vault-0").inputs).toHaveProperty("spec.publishNotReadyAddresses", true);
    const [container] = podOf(all, "vault-servers").containers;
    expect(container?.command).toEqual(["bao", "server", "-config=/etc/dr-files/$(SERVER).hcl"]);
    expect(JSON.stringify(container?.["livenessProbe"])).toContain("sealedcode=204&uninitcode=204");
    expect(JSON.stringify(container?.["readinessProbe"])).not.toContain("uninitcode");
    expect((all.one(certificateType).inputs as { spec: { dnsNames: string[] } }).spec.dnsNames).toContain("vault.dr-us-east-1.svc.cluster.local");
  });

  it("goes to its own servers and to AWS alone, by private addresses where there are such", async () => {
    const egress = async (args: VaultClusterArgs) => ((await declared(args)).one(policyType).inputs as { spec: { egress: { to: unknown[]; ports: { port: number }[] }[] } }).spec.egress;
    expect((await egress(vault())).map(({ ports }) => ports.map(({ port }) => port))).toEqual([[53], [53], [8200, 8201], [443]]);
    expect((await egress(vault({ sealNetworks: ["10.1.2.0/24"] }))).at(-1)?.to).toEqual([{ ipBlock: { cidr: "10.1.2.0/24" } }]);
  });
});

describe("Vault elsewhere", () => {
  it("waits in the secondary region with as many servers, sealed by that region's replica", async () => {
    const all = await declared(vault({ region: secondary, role: { kind: "standby" } }));
    expect(all.one(statefulSetType).inputs).toMatchObject({ spec: { replicas: 3 } });
    expect(filesOf(all, "vault-files")["vault-0.hcl"]).toContain('region = "us-west-2"');
    expect(all.one("blackroad:databases:VaultCluster").outputs).toMatchObject({ role: "standby", region: secondary, copies: 3, seal: "alias/blackroad-vault-seal", flavour: "openbao" });
  });

  it("is one server for a drill, alone, with nothing protected", async () => {
    const all = await declared(vault({ role: { kind: "restored", namespace: "dr-drill-1" }, lifetime: "ephemeral" }));
    expect(namesOf(all, statefulSetType)).toEqual(["vault-restored"]);
    expect(filesOf(all, "vault-files")["vault-restored-0.hcl"]).not.toContain("retry_join");
    expect(all.outputs.address).toBe("https://vault-restored.dr-drill-1.svc.cluster.local:8200");
    expect(all.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
    expect(podOf(all, "vault-servers").affinity).toBeUndefined();
  });

  it("can be HashiCorp's", async () => {
    const all = await declared(vault({ flavour: { kind: "vault" }, version: "1.20.3" }));
    expect(podOf(all, "vault-servers").containers[0]?.command[0]).toBe("vault");
    expect(filesOf(all, "vault-files")["vault-0.hcl"]).toContain("disable_mlock = true");
  });
});

describe("Vault refuses", () => {
  const refused = (args: VaultClusterArgs) => problemsOf(() => new VaultCluster("vault", args));

  it("everything that is wrong at once", async () => {
    const plan = { ...without("vault"), keys: ["backups"] };
    const problems = await refused(vault({ plan, image: "openbao:2", storage: { className: "", size: "1" }, sealNetworks: ["aws"], role: { kind: "standby" } }));
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(["plan", "region", "image", "sealNetworks", "storage.className", "storage.size", "plan.keys"]);
  });

  it("a version whose seal or audit would not be what the configuration says", async () => {
    expect(await refused(vault({ version: "2.7.0" }))).toEqual([expect.stringMatching(/^flavour.plugin: OpenBao 2.7.0 has its KMS seal as a plugin/)]);
    expect(await refused(vault({ version: "2.3.0" }))).toEqual([expect.stringMatching(/^version: OpenBao 2.3.0 takes no audit device/)]);
    const plugin = { directory: "/plugins", command: "kms", sha256: "abc" };
    expect(await refused(vault({ version: "2.5.1", flavour: { kind: "openbao", plugin } }))).toEqual([expect.stringContaining("has the KMS seal in itself"), expect.stringContaining('flavour.plugin.sha256: "abc"')]);
    expect(await refused(vault({ plan: blackroad, version: "2.7.0", flavour: { kind: "openbao", plugin: { ...plugin, sha256: "a".repeat(64) } } }))).toEqual([]);
  });
});
