import { describe, expect, it } from "vitest";
import { z } from "zod";
import { blackroad } from "../../plan/blackroad.ts";
import { readConfiguration } from "../../stacks/configuration/read.ts";
import { requireExpectedIn } from "../../stacks/parts/expected.ts";
import { real } from "../../stacks/surroundings.ts";
import type { Registered } from "../harness/pulumi.ts";
import { exampleConfig } from "../harness/stack-examples.ts";
import { declareStack } from "../harness/stacks.ts";

const named = z.object({ metadata: z.object({ name: z.string(), annotations: z.record(z.string(), z.string()).optional() }) });
const certificate = named.extend({ spec: z.object({ dnsNames: z.array(z.string()).default([]) }) });
const inputsOf = <T>(all: readonly Registered[], type: string, schema: z.ZodType<T>): readonly T[] => all.filter((one) => one.type === type).map(({ inputs }) => schema.parse(inputs));
const registered = async (...args: Parameters<typeof declareStack>) => (await declareStack(...args)).all;

/** GiB, of AWS's table of instance types. */
const memoryOf: Readonly<Record<string, number>> = { "m7i.xlarge": 16, "m7a.xlarge": 16, "m7i.2xlarge": 32, "m7a.2xlarge": 32 };
const gibibytes = (text: string): number => (text.endsWith("Gi") ? 1 : 1 / 1024) * Number(text.slice(0, -2));

/** The examples are what operators start from: they must agree with each other and with what the stacks make. */
describe("the shipped examples", () => {
  it.each(["archive", "secondary", "primary"] as const)("of %s expose servers to the private network alone", async (role) => {
    const services = inputsOf(await registered(blackroad, role), "kubernetes:core/v1:Service", named.extend({ spec: z.object({ type: z.string().optional() }) })).filter(({ spec }) => spec.type === "LoadBalancer");
    expect(services.length).toBeGreaterThan(0);
    const annotations = services.map(({ metadata }) => metadata.annotations ?? {});
    expect(new Set(annotations.map((one) => `${one["service.beta.kubernetes.io/aws-load-balancer-type"]} ${one["service.beta.kubernetes.io/aws-load-balancer-scheme"]}`))).toEqual(new Set(["external internal"]));
  });

  it.each(["archive", "secondary", "primary"] as const)("of %s ask for volumes of a class that the cluster has, and let `up` reach the cluster", async (role) => {
    const all = await registered(blackroad, role);
    const classes = inputsOf(all, "kubernetes:storage.k8s.io/v1:StorageClass", named).map(({ metadata }) => metadata.name);
    const wanted = inputsOf(all, "kubernetes:core/v1:PersistentVolumeClaim", z.object({ spec: z.object({ storageClassName: z.string() }) })).map(({ spec }) => spec.storageClassName);
    expect([...new Set(wanted)].filter((one) => !classes.includes(one))).toEqual([]);
    expect(inputsOf(all, "aws:eks/cluster:Cluster", z.object({ vpcConfig: z.object({ endpointPublicAccess: z.boolean() }) }))).toEqual([{ vpcConfig: { endpointPublicAccess: true } }]);
  });

  it.each(["secondary", "primary"] as const)("answer Cloudflare's checks in %s by the name that they ask for", async (role) => {
    const [monitor] = inputsOf(await registered(blackroad, "global"), "cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor", z.object({ header: z.record(z.string(), z.array(z.string())) }));
    const hosts = inputsOf(await registered(blackroad, role), "kubernetes:networking.k8s.io/v1:Ingress", z.object({ spec: z.object({ rules: z.array(z.object({ host: z.string() })) }) })).flatMap(({ spec }) => spec.rules.map(({ host }) => host));
    expect(hosts).toEqual(monitor?.header["Host"]);
  });

  it("make the key's aliases before the secrets that are encrypted with it: AWS refuses one whose key is not there", async () => {
    const all = await registered(blackroad, "global");
    const aliases = all.filter(({ name, type }) => type === "aws:kms/alias:Alias" && name.startsWith("backups-")).map(({ urn }) => urn);
    const secrets = all.filter(({ type }) => type === "aws:secretsmanager/secret:Secret");
    expect([aliases.length, secrets.length > 0]).toEqual([3, true]);
    for (const { dependencies, name } of secrets) expect(dependencies, name).toEqual(expect.arrayContaining(aliases));
  });

  it.each(["secondary", "primary"] as const)("of %s have nodes that hold a server of each kind, as servers of one kind are kept apart", async (role) => {
    const all = await registered(blackroad, role);
    const memory = z.object({ resources: z.object({ requests: z.object({ memory: z.string() }) }) });
    const sets = inputsOf(all, "kubernetes:apps/v1:StatefulSet", z.object({ spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(memory) }) }) }) }));
    const needed = sets.flatMap(({ spec }) => spec.template.spec.containers).reduce((sum, { resources }) => sum + gibibytes(resources.requests.memory), 0);
    const types = inputsOf(all, "aws:eks/nodeGroup:NodeGroup", z.object({ instanceTypes: z.array(z.string()) })).flatMap(({ instanceTypes }) => instanceTypes);
    // The system, its agents and the jobs have the rest.
    for (const type of new Set(types)) expect(needed, type).toBeLessThan((memoryOf[type] ?? 0) * 0.8);
  });

  it("declare roles by a name that the database's certificate has", async () => {
    const all = await registered(blackroad, "primary");
    const [connection] = inputsOf(all, "pulumi:providers:postgresql", z.object({ host: z.string() }));
    const names = inputsOf(all, "kubernetes:cert-manager.io/v1:Certificate", certificate).filter(({ metadata }) => metadata.name === "pg-postgres-tls").flatMap(({ spec }) => spec.dnsNames);
    expect(names).toContain(connection?.host);
  });
});

describe("a region's volumes", () => {
  const exposure = { kind: "cluster" } as const;
  const storage = { className: "gp3-encrypted", postgres: "400Gi", redis: "20Gi", vault: "10Gi", vectors: "40Gi" };

  it("are refused where the cluster that is to be made will not have their class", async () => {
    const config = readConfiguration("archive", exampleConfig("archive", { storage }));
    if (config.role !== "archive") throw new Error("the example is another's");
    await expect(requireExpectedIn(config, exposure, real)).rejects.toThrow('storage.className: "gp3-encrypted" is no class of the cluster that is made here');
    await expect(requireExpectedIn({ ...config, storage: { ...storage, className: "dr-gp3" } }, exposure, real)).resolves.toBeUndefined();
  });

  it("are refused where an existing cluster has not their class", async () => {
    const kinds = { resources: ["certificates", "prometheusrules", "servicemonitors", "alertmanagerconfigs"].map((name) => ({ name })) };
    const clusterApi = () => (path: string) => Promise.resolve(path.endsWith("/storageclasses") ? { items: [{ metadata: { name: "gp2" } }] } : kinds);
    await expect(requireExpectedIn({ cluster: { kind: "existing", context: "east" }, storage }, exposure, { clusterApi })).rejects.toThrow("the storage class gp3-encrypted is missing; there are: gp2");
  });
});
