import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkHealth } from "../../../runner/recovery/full/health.ts";
import { areStopped, startServices, stopServices } from "../../../runner/recovery/full/services.ts";
import { testContext, type TestContext } from "../../harness/context.ts";
import { startServicesCluster, type ServicesCluster } from "../../harness/services-cluster.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cluster: ServicesCluster;
let context: TestContext;
const services = (within?: Parameters<ServicesCluster["config"]>[0]) => {
  const { services: found } = cluster.config(within);
  if (found === undefined) throw new Error("the cluster has services");
  return found;
};

beforeEach(async () => {
  folder = await temporaryFolder("services");
  cluster = await startServicesCluster();
  context = await testContext({ folder: folder.path });
});
afterEach(async () => {
  context.close();
  await cluster.close();
  await folder.remove();
});

describe("the services of a recovered system", () => {
  it("have ended when their last pod is gone, not when their deployment counts it no more", async () => {
    cluster.ending.set("workers", 2);
    await expect(stopServices(context, services({ goneWithin: 0.5 }))).rejects.toMatchObject({ message: expect.stringMatching(/the end of workers did not come within 0.5 s: 2 pods are still there.*kubectl/) as string });
    expect(cluster.asked).toEqual(["workers 0"]); // what uses them is not stopped before them
    expect(await areStopped(context, services())).toBe(false);
    cluster.ending.clear();
    await stopServices(context, services());
    expect(await areStopped(context, services())).toBe(true);
  });

  it("are counted by their deployments where pods may not be listed, which is said", async () => {
    cluster.mayList = false;
    await stopServices(context, services());
    expect(context.reports.map(({ step }) => step).join()).toMatch(/pods may not be listed/);
  });

  it("that were never deployed are as good as stopped, and cannot be started", async () => {
    cluster.replicas.clear();
    await stopServices(context, services());
    expect(await areStopped(context, services())).toBe(true);
    await expect(startServices(context, services())).rejects.toThrow(/there is no deployment api in blackroad.*goes on here/);
  });

  it("that do not come up are told with what Kubernetes says of them, and the next ones wait", async () => {
    cluster.stuck.set("api", "ReplicaSet has timed out progressing");
    await expect(startServices(context, services({ availableWithin: 0.5 }))).rejects.toThrow(/2 available pods of api did not come within 0.5 s: 0 are available; Progressing: ReplicaSet has timed out progressing/);
    expect(cluster.asked).toEqual(["api 2"]);
  });

  it("that never say that they are well are a failure in words after the time that is allowed", async () => {
    cluster.health = 503;
    await expect(checkHealth(context, cluster.config({ healthyWithin: 0.4 }).health)).rejects.toMatchObject({ kind: "failed", message: expect.stringMatching(/a good answer of the services did not come within 0.4 s: .*answered 503.*asks once more/) as string });
    expect(cluster.asked.length).toBeGreaterThan(1);
    cluster.health = 200;
    expect(await checkHealth(context, cluster.config().health)).toBe("the services is well");
  });
});
