import { blackroad } from "../../../plan/blackroad.ts";
import type { Plan } from "../../../plan/types.ts";
import { ArgumentError } from "../../../components/component.ts";
import type { StoreArgs } from "../../../components/databases/store-args.ts";
import type { Topology } from "../../../components/topology.ts";
import { declare, type Declaration } from "../../harness/pulumi.ts";

export const image = `registry.example/dr@sha256:${"a".repeat(64)}`;
export const primary = "us-east-1";
export const secondary = "us-west-2";
export const third = "eu-west-1";

const namespaceOf = (region: string): string => `dr-${region}`;
/** All regions in one cluster, a namespace each. */
export const oneCluster: Topology = {
  places: blackroad.regions.map(({ name }) => ({ region: name, namespace: namespaceOf(name), domain: `${namespaceOf(name)}.svc.cluster.local` })),
  exposure: { kind: "cluster" },
};
/** A cluster a region. */
export const clusters: Topology = {
  places: blackroad.regions.map(({ name }) => ({ region: name, namespace: "blackroad-dr", domain: `${name}.dr.example` })),
  exposure: { kind: "load-balancer", annotations: { "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal" } },
};

export const storeArgs = (region: string, version: string): StoreArgs => ({ plan: blackroad, topology: oneCluster, region, image, version, issuer: { name: "dr", kind: "ClusterIssuer" }, storage: { className: "gp3-encrypted", size: "20Gi" }, lifetime: "kept" });
export const without = (store: string): Plan => ({ ...blackroad, stores: blackroad.stores.filter(({ name }) => name !== store) });

/** Everything that a constructor refuses; nothing may have been declared. */
export async function problemsOf(construct: () => unknown): Promise<readonly string[]> {
  const declared = await declare(() => {
    try {
      construct();
      return [];
    } catch (error) {
      if (error instanceof ArgumentError) return error.problems;
      throw error;
    }
  });
  if (declared.outputs.length > 0 && declared.all.length > 0) throw new Error(`declared although it was refused: ${declared.all.map(({ name }) => name).join(", ")}`);
  return declared.outputs;
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly resources: { readonly requests: Record<string, string>; readonly limits: Record<string, string> };
  readonly securityContext: Record<string, unknown>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly [probe: `${string}Probe`]: Record<string, unknown> | undefined;
}
interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string };
  readonly emptyDir?: { readonly medium?: string };
}
export interface Pod {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Record<string, unknown>;
  readonly affinity?: { readonly podAntiAffinity: Record<string, unknown> };
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}
export interface Objects {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly annotations?: Record<string, string> };
}
export const statefulSetType = "kubernetes:apps/v1:StatefulSet";
export const claimType = "kubernetes:core/v1:PersistentVolumeClaim";
export const serviceType = "kubernetes:core/v1:Service";
export const policyType = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
export const certificateType = "kubernetes:cert-manager.io/v1:Certificate";

export function podOf(declared: Declaration<unknown>, name: string): Pod {
  const { spec } = declared.one(statefulSetType, name).inputs as { readonly spec: { readonly template: { readonly spec: Pod } } };
  return spec.template.spec;
}

export function filesOf(declared: Declaration<unknown>, name: string): Readonly<Record<string, string>> {
  return (declared.one("kubernetes:core/v1:ConfigMap", name).inputs as { readonly data: Record<string, string> }).data;
}

export const namesOf = (declared: Declaration<unknown>, type: string): readonly string[] => declared.of(type).map(({ inputs }) => (inputs as unknown as Objects).metadata.name).sort();

/** What every pod of a store must be, whatever its store. */
export function shortcomingsOf(declared: Declaration<unknown>): readonly string[] {
  return declared.of(statefulSetType).flatMap(({ name }) => {
    const pod = podOf(declared, name);
    const containers = [...(pod.initContainers ?? []), ...pod.containers];
    const mounted = new Set(pod.volumes.map((volume) => volume.name));
    return [
      pod.automountServiceAccountToken && `${name}: its token is mounted`,
      pod.securityContext["runAsNonRoot"] !== true && `${name}: it may be root`,
      new Set(pod.volumes.map((volume) => volume.name)).size !== pod.volumes.length && `${name}: two volumes have one name`,
      ...containers.flatMap((container) => [
        container.securityContext["readOnlyRootFilesystem"] !== true && `${name}/${container.name}: its root file system can be written`,
        container.securityContext["allowPrivilegeEscalation"] !== false && `${name}/${container.name}: it may gain privileges`,
        container.resources.limits["memory"] === undefined && `${name}/${container.name}: its memory has no limit`,
        container.resources.requests["cpu"] === undefined && `${name}/${container.name}: no CPU is reserved`,
        ...container.volumeMounts.filter((mount) => !mounted.has(mount.name) && mount.name !== "data").map((mount) => `${name}/${container.name}: ${mount.name} is mounted and is no volume`),
        ...(container.env ?? []).filter((one) => /password|secret|key|token/i.test(`${one.name}${one.value ?? ""}`)).map((one) => `${name}/${container.name}: ${one.name} in its environment`),
      ]),
      ...pod.containers.flatMap((container) => (container["livenessProbe"] === undefined || container["readinessProbe"] === undefined ? [`${name}/${container.name}: it is not probed`] : [])),
    ].filter((problem) => typeof problem === "string");
  });
}
