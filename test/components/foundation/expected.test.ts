import { describe, expect, it } from "vitest";
import { missingIn, requireExpected, type ClusterApi } from "../../../components/foundation/expected.ts";
import type { Exposure } from "../../../components/topology.ts";

const names = (...all: string[]) => ({ items: all.map((name) => ({ metadata: { name } })) });
const kinds = (...all: string[]) => ({ resources: all.map((name) => ({ name })) });
const complete: Readonly<Record<string, unknown>> = {
  "/apis/cert-manager.io/v1": kinds("certificates", "issuers"),
  "/apis/monitoring.coreos.com/v1": kinds("prometheusrules", "servicemonitors"),
  "/apis/monitoring.coreos.com/v1alpha1": kinds("alertmanagerconfigs"),
  "/apis/storage.k8s.io/v1/storageclasses": names("gp3-encrypted", "standard"),
  "/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dexternal-dns": names("external-dns"),
};
const api = (changes: Readonly<Record<string, unknown>> = {}): ClusterApi => (path) => Promise.resolve({ ...complete, ...changes }[path]);
const inside: Exposure = { kind: "cluster" };
const outside: Exposure = { kind: "load-balancer" };

describe("what a cluster is expected to have", () => {
  it("misses nothing in a complete cluster", async () => {
    expect(await missingIn({ api: api(), cluster: "east", exposure: outside, storageClasses: ["gp3-encrypted"] })).toEqual([]);
  });

  it("misses everything at once in an empty one, each with how to get it", async () => {
    const missing = await missingIn({ api: () => Promise.resolve(undefined), cluster: "east", exposure: outside });
    expect(missing).toHaveLength(6);
    expect(missing.join("\n")).toMatch(/certificates\.cert-manager\.io\/v1 is missing: .*install it/);
    expect(missing.join("\n")).toMatch(/prometheusrules\.monitoring\.coreos\.com\/v1 is missing: .*install kube-prometheus-stack/);
    expect(missing.join("\n")).toContain("servicemonitors.monitoring.coreos.com/v1 is missing");
    expect(missing.join("\n")).toContain("alertmanagerconfigs.monitoring.coreos.com/v1alpha1 is missing");
    expect(missing.join("\n")).toContain("a storage class is missing");
    expect(missing.join("\n")).toContain("external-dns is missing");
  });

  it("knows a group that is there without the kind that is asked for", async () => {
    const missing = await missingIn({ api: api({ "/apis/monitoring.coreos.com/v1": kinds("servicemonitors") }), cluster: "east", exposure: inside });
    expect(missing).toEqual([expect.stringContaining("prometheusrules.monitoring.coreos.com/v1 is missing")]);
  });

  it("names the storage classes that are there when one that is asked for is not", async () => {
    const missing = await missingIn({ api: api(), cluster: "east", exposure: inside, storageClasses: ["io2"] });
    expect(missing).toEqual(["the storage class io2 is missing; there are: gp3-encrypted, standard. Declare it, or name another one in the stack's configuration"]);
  });

  it("asks for external-dns only where servers are exposed by load balancers", async () => {
    const without = api({ "/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dexternal-dns": names() });
    expect(await missingIn({ api: without, cluster: "east", exposure: inside })).toEqual([]);
    expect(await missingIn({ api: without, cluster: "east", exposure: outside })).toHaveLength(1);
  });

  it("stops the program with all of it and the cluster's name", async () => {
    await expect(requireExpected({ api: () => Promise.resolve(undefined), cluster: "east", exposure: inside })).rejects.toThrow(/cluster east cannot be declared:\n.*certificates[^]*storage class/);
    await expect(requireExpected({ api: api(), cluster: "east", exposure: inside })).resolves.toBeUndefined();
  });

  it("does not take a cluster that gives no answer for an empty one", async () => {
    await expect(missingIn({ api: () => Promise.reject(new Error("no route")), cluster: "east", exposure: inside })).rejects.toThrow("no route");
  });
});
