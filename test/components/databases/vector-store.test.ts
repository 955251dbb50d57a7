import { describe, expect, it } from "vitest";
import { VectorStore, type PineconeStoreArgs, type QdrantStoreArgs, type VectorStoreArgs } from "../../../components/databases/vector-store.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { declare } from "../../harness/pulumi.ts";
import { claimType, filesOf, namesOf, podOf, policyType, primary, problemsOf, secondary, serviceType, shortcomingsOf, statefulSetType, storeArgs, without } from "./store-fixture.ts";

const qdrant = (more: Partial<QdrantStoreArgs> = {}): QdrantStoreArgs => ({ ...storeArgs(primary, "1.19.0"), kind: "qdrant", role: { kind: "primary" }, ...more });
const pinecone: PineconeStoreArgs = { kind: "pinecone", plan: blackroad, region: primary, index: "blackroad", host: "blackroad-abc123.svc.us-east-1.pinecone.io" };
const declared = (args: VectorStoreArgs) => declare(() => new VectorStore("vectors", args));

describe("Qdrant", () => {
  it("is three nodes on three machines, each with a protected volume and an address of its own", async () => {
    const all = await declared(qdrant());
    expect(all.one(statefulSetType).inputs).toMatchObject({ metadata: { name: "qdrant" }, spec: { replicas: 3 } });
    expect(podOf(all, "vectors-servers").affinity?.podAntiAffinity).toHaveProperty("requiredDuringSchedulingIgnoredDuringExecution");
    expect(namesOf(all, claimType)).toEqual(["data-qdrant-0", "data-qdrant-1", "data-qdrant-2"]);
    expect(all.of(claimType).every(({ protect, retainOnDelete }) => protect && retainOnDelete)).toBe(true);
    expect(namesOf(all, serviceType)).toEqual(["qdrant", "qdrant-0", "qdrant-1", "qdrant-2", "qdrant-nodes"]);
    expect(all.outputs.url).toBe("https://qdrant.dr-us-east-1.svc.cluster.local:6333");
    expect(all.outputs.nodes[1]).toBe("https://qdrant-1.dr-us-east-1.svc.cluster.local:6333");
    expect(shortcomingsOf(all)).toEqual([]);
  });

  it("has its keys neither in the environment nor in the ConfigMap, but in memory", async () => {
    const all = await declared(qdrant());
    expect(filesOf(all, "vectors-files")["config.yaml"]).toContain('api_key: "@secret:qdrant@"\n  read_only_api_key: "@secret:qdrant-read-only@"');
    const pod = podOf(all, "vectors-servers");
    expect(pod.initContainers?.[0]?.command.at(-1)).toBe("config.yaml");
    expect(pod.initContainers?.[0]?.volumeMounts.map(({ name }) => name)).toEqual(["files", "run", "secret-qdrant", "secret-qdrant-read-only"]);
    expect(pod.containers[0]?.volumeMounts.map(({ name }) => name)).toEqual(["files", "run", "tls", "data", "tmp"]);
    expect(pod.containers[0]?.command).toEqual(["/bin/bash", "/etc/dr-files/start.sh", "$(SERVER)", "/run/dr/config.yaml"]);
  });

  it("lets peers speak to peers alone, and goes nowhere else", async () => {
    const { spec } = (await declared(qdrant())).one(policyType).inputs as { spec: { ingress: { ports: { port: number }[] }[]; egress: { ports: { port: number }[] }[] } };
    expect(spec.ingress.map(({ ports }) => ports.map(({ port }) => port))).toEqual([[6333, 6335], [6333, 6334]]);
    expect(spec.egress.map(({ ports }) => ports.map(({ port }) => port))).toEqual([[53], [53], [6333, 6335]]);
  });

  it("waits empty in the secondary region, and is gone with a drill", async () => {
    expect((await declared(qdrant({ region: secondary, role: { kind: "standby" } }))).one("blackroad:databases:VectorStore").outputs).toMatchObject({ kind: "qdrant", role: "standby", region: secondary, copies: 3, rpo: blackroad.categories.important.rpo });
    const drill = await declared(qdrant({ role: { kind: "restored", namespace: "dr-drill-1" }, lifetime: "ephemeral", nodes: 1 }));
    expect(namesOf(drill, statefulSetType)).toEqual(["qdrant-restored"]);
    expect(drill.outputs.nodes).toEqual(["https://qdrant-restored-0.dr-drill-1.svc.cluster.local:6333"]);
    expect(drill.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
  });

  it("refuses two nodes, none, and everything else that is wrong", async () => {
    const refused = (args: VectorStoreArgs) => problemsOf(() => new VectorStore("vectors", args));
    expect(await refused(qdrant({ nodes: 2 }))).toEqual([expect.stringMatching(/^nodes: with 2 there is no majority/)]);
    expect(await refused(qdrant({ nodes: 0 }))).toEqual(["nodes: 0 is no number of nodes"]);
    const problems = await refused(qdrant({ plan: without("vectors"), image: "qdrant/qdrant", region: secondary, storage: { className: "", size: "much" } }));
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(["plan", "region", "image", "storage.className", "storage.size"]);
  });
});

describe("Pinecone", () => {
  it("is recorded, with nothing declared in the cluster", async () => {
    const all = await declared(pinecone);
    expect(all.all).toHaveLength(1);
    expect(all.one("blackroad:databases:VectorStore").outputs).toMatchObject({ kind: "pinecone", index: "blackroad", operatedBy: "Pinecone", region: primary, url: `https://${pinecone.host}`, nodes: [] });
  });

  it("refuses a region that is none, an address for a host, a wrong index, a plan without vectors", async () => {
    const problems = await problemsOf(() => new VectorStore("vectors", { ...pinecone, plan: without("vectors"), region: "mars-1", index: "My Index", host: "https://x.pinecone.io/" }));
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(["region", "plan", "index", "host"]);
  });
});
