import { describe, expect, it } from "vitest";
import { z } from "zod";
import { blackroad } from "../../plan/blackroad.ts";
import { clusterAlone } from "../../stacks/cluster-alone.ts";
import { readConfiguration } from "../../stacks/configuration/read.ts";
import { declare, type Registered } from "../harness/pulumi.ts";
import { exampleConfig } from "../harness/stack-examples.ts";
import { declareStack } from "../harness/stacks.ts";

const roles = ["archive", "secondary", "primary"] as const;
const namespaced = z.object({ metadata: z.object({ namespace: z.string() }) });
const inNamespace = (all: readonly Registered[]): readonly Registered[] => all.filter(({ type, inputs }) => type.startsWith("kubernetes:") && namespaced.safeParse(inputs).data?.metadata.namespace === "blackroad-dr");

describe("a region that comes up from nothing", () => {
  it.each(roles)("has %s declare nothing in a namespace before it is there", async (role) => {
    const declared = await declareStack(blackroad, role);
    const { urn } = declared.one("kubernetes:core/v1:Namespace");
    const objects = inNamespace(declared.all);
    expect(objects.length).toBeGreaterThan(5);
    expect(objects.filter(({ dependencies }) => !dependencies.includes(urn)).map(({ type, name }) => `${type} ${name}`)).toEqual([]);
  });

  const clusterOf = (role: (typeof roles)[number]): Readonly<Record<string, unknown>> => z.record(z.string(), z.unknown()).parse(JSON.parse(exampleConfig(role)["blackroad-dr:cluster"] ?? "{}"));
  const onlyCluster = (role: (typeof roles)[number]) => ({ cluster: { ...clusterOf(role), operators: undefined } });

  it.each(roles)("has %s make the cluster and its network alone, until it has its operators", async (role) => {
    const { all, outputs } = await declareStack(blackroad, role, onlyCluster(role));
    expect(all.filter(({ type }) => type === "aws:eks/cluster:Cluster")).toHaveLength(1);
    expect(all.filter(({ type }) => type.startsWith("kubernetes:") && !/StorageClass$/.test(type))).toEqual([]);
    expect(all.filter(({ type }) => type.startsWith("blackroad:")).map(({ type }) => type.split(":")[1]).filter((folder) => folder !== "foundation")).toEqual([]);
    expect(outputs["next"]).toEqual(expect.arrayContaining([expect.stringContaining("cert-manager"), "pulumi up"]));
    // What the rest is declared beside, under the same names.
    const whole = (await declareStack(blackroad, role)).all.map(({ type, name }) => `${type} ${name}`);
    expect(all.map(({ type, name }) => `${type} ${name}`).filter((one) => !whole.includes(one))).toEqual([]);
  });

  it("refuses to go back to the cluster alone, which would delete the servers", async () => {
    const config = readConfiguration("secondary", exampleConfig("secondary", onlyCluster("secondary")));
    if (config.role !== "secondary") throw new Error(config.role);
    const urn = "urn:pulumi:secondary::blackroad-dr::blackroad:foundation:DrNamespace::namespace";
    const { outputs, all } = await declare(() => clusterAlone(blackroad, config).then(String, String), { call: () => ({ outputs: { [urn]: {} } }) });
    expect(outputs).toContain('this stack has its servers in it already, which would be deleted; write "installed"');
    expect(all).toEqual([]);
  });
});
