import { beforeAll, beforeEach, afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { blackroad } from "../../plan/blackroad.ts";
import type { StackRole } from "../../plan/names.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { customDefinitions, madeByTest } from "../harness/kubernetes-definitions.ts";
import { KubernetesApi, objectsOf, testKubeconfig, withoutCluster, type KubernetesObject } from "../harness/kubernetes.ts";
import { declareStack } from "../harness/stacks.ts";

const minutes = 60_000;
const restricted = Object.fromEntries(["enforce", "warn", "audit"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]));

const template = z.object({ metadata: z.record(z.string(), z.unknown()).default({}), spec: z.object({ volumes: z.array(z.unknown()).default([]) }).loose() });
const workload = z.object({ spec: z.object({ template, volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })).default([]) }) });
const cronJob = z.object({ spec: z.object({ jobTemplate: workload }) });
const workloads = new Set(["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"]);

/** The pod that a controller would make of a workload; a stateful one's claims are volumes of it. */
function podOf(object: KubernetesObject): object | undefined {
  if (!workloads.has(object.kind)) return undefined;
  const { spec } = object.kind === "CronJob" ? cronJob.parse(object).spec.jobTemplate : workload.parse(object);
  const claims = spec.volumeClaimTemplates.map(({ metadata: { name } }) => ({ name, persistentVolumeClaim: { claimName: name } }));
  // Both must exist before a pod that names them; here nothing does, as every call is a dry run.
  const pod = Object.fromEntries(Object.entries(spec.template.spec).filter(([key]) => key !== "serviceAccountName" && key !== "priorityClassName"));
  return { apiVersion: "v1", kind: "Pod", metadata: { ...spec.template.metadata, name: `${object.metadata.name}-pod`.slice(0, 63) }, spec: { ...pod, volumes: [...spec.template.spec.volumes, ...claims] } };
}

/** The server takes objects of a kind some time after its definition. */
function established(definition: unknown): boolean {
  const { status } = z.object({ status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })) }) }).parse(definition);
  return status.conditions.some(({ type, status: truth }) => type === "Established" && truth === "True");
}

/**
 * Every object that the stacks register, as a real API server judges it: its schema, its admission, and the restricted
 * pod security standard. Nothing is kept: each call is a dry run, but for a namespace and the definitions of kinds.
 */
describe("the Kubernetes objects of the stacks", () => {
  const namespace = `dr-test-${process.pid}`;
  const made: string[] = [];
  let api: KubernetesApi | undefined;
  const server = (): KubernetesApi => {
    if (api === undefined) throw new Error(withoutCluster);
    return api;
  };

  beforeAll(async () => {
    const kubeconfig = await testKubeconfig();
    if (kubeconfig === undefined) return;
    api = await KubernetesApi.from(kubeconfig);
    for (const definition of customDefinitions) {
      const path = await api.pathOf(definition);
      const there = await api.get(path);
      if (there.status === 200 && !JSON.stringify(there.body).includes(JSON.stringify(madeByTest).slice(1, -1))) continue; // somebody's real one is better than ours
      made.push(path);
      expect((await api.apply(definition, { dryRun: false })).status).toBeLessThan(300);
      await waitFor(`the kind ${definition.metadata.name}`, async () => established((await server().get(path)).body), { within: 30 });
    }
    const space: KubernetesObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { ...restricted, ...madeByTest } } };
    expect(await api.apply(space, { dryRun: false })).toMatchObject({ status: 201 });
    made.push(await api.pathOf(space));
  }, 20 * minutes);
  beforeEach((context) => context.skip(api === undefined, withoutCluster));
  afterAll(async () => {
    for (const path of made.toReversed()) await api?.delete(path);
  });

  const declared = async (role: StackRole): Promise<readonly KubernetesObject[]> => objectsOf((await declareStack(blackroad, role)).all);
  /** In the test's own namespace, whose pods are held to the standard. */
  const here = (object: KubernetesObject): KubernetesObject => (object.metadata.namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } });

  it.each<StackRole>(["archive", "secondary", "primary", "drill"])("of %s are accepted, without a warning", async (role) => {
    const objects = await declared(role);
    expect(objects.length).toBeGreaterThan(0);
    const wrong: string[] = [];
    for (const object of objects) {
      const { status, body, warnings } = await server().apply(here(object), { dryRun: true });
      const what = `${object.kind} ${object.metadata.name}`;
      if (status >= 300) wrong.push(`${what}: ${JSON.stringify(body)}`);
      wrong.push(...warnings.map((warning) => `${what}: ${warning}`));
    }
    expect(wrong).toEqual([]);
  });

  it.each<StackRole>(["archive", "secondary", "primary", "drill"])("of %s make pods that the restricted standard admits", async (role) => {
    const pods = (await declared(role)).map(podOf).filter((pod) => pod !== undefined);
    const wrong: string[] = [];
    for (const pod of pods) {
      const { status, body, warnings } = await server().createPod(namespace, pod);
      if (status >= 300 || warnings.length > 0) wrong.push(JSON.stringify([body, ...warnings]));
    }
    expect(wrong).toEqual([]);
  });

  it("would be refused, or warned of, where a pod could be more than the standard lets it, or a field is nobody's", async () => {
    const spec = { containers: [{ name: "main", image: "local/none:1", securityContext: { privileged: true } }] };
    expect(await server().createPod(namespace, { apiVersion: "v1", kind: "Pod", metadata: { name: "privileged" }, spec })).toMatchObject({ status: 403, body: { message: expect.stringContaining("violates PodSecurity") as string } });
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "privileged", namespace }, spec: { selector: { matchLabels: { app: "a" } }, template: { metadata: { labels: { app: "a" } }, spec } } };
    expect((await server().apply(deployment, { dryRun: true })).warnings).toEqual([expect.stringContaining("would violate PodSecurity")]);
    expect(await server().apply({ ...deployment, spec: { ...deployment.spec, replica: 1 } }, { dryRun: true })).toMatchObject({ status: 500, body: { message: expect.stringContaining("replica") as string } });
  });

  it.each(["Certificate", "PrometheusRule", "ServiceMonitor", "AlertmanagerConfig"])("would be refused where a field of a %s is unknown to its operator", async (kind) => {
    const object = (await declared("secondary")).find((one) => one.kind === kind);
    if (object === undefined) throw new Error(`the stack declares no ${kind}`);
    const { spec } = z.object({ spec: z.record(z.string(), z.unknown()) }).parse(object);
    expect(await server().apply(here({ ...object, spec: { ...spec, nobodysField: 1 } }), { dryRun: true })).toMatchObject({ status: 500, body: { message: expect.stringContaining("nobodysField") as string } });
  });
});
