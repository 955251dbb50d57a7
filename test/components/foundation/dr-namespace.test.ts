import { describe, expect, it } from "vitest";
import { DrNamespace, type DrNamespaceArgs } from "../../../components/foundation/dr-namespace.ts";
import { declare } from "../../harness/pulumi.ts";
import { refusal } from "../refusal.ts";

const args = (changes: Partial<DrNamespaceArgs> = {}): DrNamespaceArgs => ({ namespace: "blackroad-dr", lifetime: "kept", ...changes });
const space = "kubernetes:core/v1:Namespace";
const policy = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const quotas = "kubernetes:core/v1:ResourceQuota";

describe("DrNamespace", () => {
  it("enforces the restricted pod security standard, and is protected where it is kept", async () => {
    const declared = await declare(() => new DrNamespace("dr", args({ labels: { team: "platform" }, annotations: { note: "kept" } })));
    const restricted = Object.fromEntries(["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]));
    expect(declared.one(space)).toMatchObject({ protect: true, retainOnDelete: true, inputs: { metadata: { name: "blackroad-dr", annotations: { note: "kept" }, labels: { team: "platform", ...restricted } } } });
  });

  it("denies everything to everybody who has no policy of its own", async () => {
    const declared = await declare(() => new DrNamespace("dr", args()));
    expect(declared.one(policy).inputs).toMatchObject({ metadata: { namespace: "blackroad-dr" }, spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } });
    expect(declared.one(policy).inputs["spec"]).not.toHaveProperty("egress");
  });

  it("limits what everything in it may ask for where a quota is given, and nothing otherwise", async () => {
    const limited = await declare(() => new DrNamespace("dr", args({ quota: { "requests.cpu": "8" } })));
    expect(limited.one(quotas).inputs).toMatchObject({ metadata: { namespace: "blackroad-dr" }, spec: { hard: { "requests.cpu": "8" } } });
    expect((await declare(() => new DrNamespace("dr", args()))).of(quotas)).toEqual([]);
  });

  it("protects nothing in a drill", async () => {
    const declared = await declare(() => new DrNamespace("dr", args({ lifetime: "ephemeral" })));
    expect(declared.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
  });

  it.each<[string, Partial<DrNamespaceArgs>, string]>([
    ["a name that Kubernetes refuses", { namespace: "DR" }, 'namespace: "DR" must be lower-case'],
    ["a namespace of Kubernetes' own", { namespace: "kube-system" }, "namespace: kube-system is Kubernetes' own"],
    ["a weaker pod security standard", { labels: { "pod-security.kubernetes.io/enforce": "privileged" } }, "which stays restricted"],
    ["a quota of nothing", { quota: {} }, "quota: it limits nothing"],
  ])("refuses %s", async (_, changes, message) => {
    expect(await refusal(() => new DrNamespace("dr", args(changes)))).toContain(message);
  });
});
