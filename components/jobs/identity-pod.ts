/** The pod that `dr` runs in as one of the plan's identities: its configuration, its secrets, its room, and no more. */
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { drJson, drJsonFolder, drJsonName, drJsonPath, objectsCredentialsFile, postgresTlsFolder, prometheusFolder, workFolder, type DrConfiguration, type DrObjectsBucket, type DrObjectStore } from "../../plan/config/dr-json.ts";
import { webhookFile, type DrNotifications } from "../../plan/config/dr-notifications.ts";
import { rolesOf, scratchOf, secretsOfIdentity } from "../../plan/identity-needs.ts";
import type { IdentityName } from "../../plan/identities.ts";
import { secretFile, serviceAccountName } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { gib, mib } from "../../plan/units.ts";
import { pullPolicyOf } from "../kubernetes/image.ts";
import { allowList, type Allowance } from "../kubernetes/network.ts";
import { labelsOf, restrictedContainer, restrictedPod, scratch, secretFiles, selectorOf } from "../kubernetes/pod.ts";
import { othersFiles, redisTls, vaultFiles, vectorsTls } from "./identity-files.ts";
import { egressOf, serverAt, type Notifications, type ObjectsSource, type ObjectStores, type Others, type RegionServers } from "./reach.ts";

export interface IdentityPlace extends Others {
  readonly plan: Plan;
  readonly identity: IdentityName;
  readonly namespace: string;
  /** By the plan's name: what people who are told of a failure see. */
  readonly region?: string;
  readonly image: string;
  readonly servers: Partial<RegionServers>;
  readonly objectStores: ObjectStores;
  /** What is kept of the configuration besides the cluster's manifests. */
  readonly configuration?: DrConfiguration;
  /** Class of the volume for what does not fit a node's own disk. Default: the cluster's. */
  readonly storageClass?: string;
}

type PodSpec = k8s.types.input.core.v1.PodSpec;
type Container = k8s.types.input.core.v1.Container;
type Volume = k8s.types.input.core.v1.Volume;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** What selectors match, and labels say. */
const labelName = "dr";
export const identityLabels = (identity: IdentityName): Record<string, string> => labelsOf(labelName, identity);
export const identitySelector = (identity: IdentityName): Record<string, string> => selectorOf(labelName, identity);
export const configName = (identity: IdentityName): string => `dr-config-${identity}`;

const authorityFolder = (backend: string): string => `/etc/dr-authorities/${backend}`;

/** The text of the identity's `dr.json`. It holds no secret. */
export const configOf = ({ plan, identity, servers, objectStores, configuration, objects, notifications, region }: IdentityPlace): string =>
  drJson({
    plan,
    identity,
    servers: {
      ...(servers.postgres === undefined ? {} : { postgres: servers.postgres }),
      ...(servers.vault === undefined ? {} : { vault: servers.vault }),
      ...(servers.redis === undefined ? {} : { redis: servers.redis.map(serverAt) }),
      ...(servers.vectors === undefined ? {} : { vectors: servers.vectors }),
      ...(servers.prometheus?.data === undefined ? {} : { prometheus: { url: servers.prometheus.url } }),
      ...(servers.kubernetes === undefined ? {} : { kubernetes: true }),
    },
    ...(configuration === undefined ? {} : { configuration }),
    ...(objects === undefined ? {} : { objects: objectsBucket(objects) }),
    ...(notifications === undefined ? {} : { notifications: { ...toldOf(notifications), ...(region === undefined ? {} : { labels: { region } }) } }),
    objectStores: Object.fromEntries(
      Object.entries(objectStores).map(([backend, { endpoint, authority, credentialsSecret }]): [string, DrObjectStore] => [
        backend,
        { endpoint, ...(authority === undefined ? {} : { caFile: `${authorityFolder(backend)}/ca.crt` }), ...(credentialsSecret === undefined ? {} : { credentialsFile: secretFile(credentialsSecret) }) },
      ]),
    ),
  });

const objectsBucket = ({ endpoint, bucket, prefix }: ObjectsSource): DrObjectsBucket => ({ endpoint, bucket, ...(prefix === undefined ? {} : { prefix }), credentialsFile: objectsCredentialsFile });

const toldOf = ({ alertmanager, webhook }: Notifications): DrNotifications => ({ ...(alertmanager === undefined ? {} : { alertmanager: alertmanager.url }), ...(webhook === undefined ? {} : { webhookFile }) });

/** Mounted by every pod of the identity; read anew by each run. */
export function configMap(name: string, place: IdentityPlace, options: pulumi.CustomResourceOptions): k8s.core.v1.ConfigMap {
  const { identity, namespace } = place;
  return new k8s.core.v1.ConfigMap(name, { metadata: { name: configName(identity), namespace, labels: identityLabels(identity) }, data: { [drJsonName]: configOf(place) } }, options);
}

/** The role's ARN is for EKS, whose webhook gives the pods a token of their own to assume it with. */
export function serviceAccount(name: string, { identity, namespace }: IdentityPlace, roleArn: pulumi.Input<string> | undefined, options: pulumi.CustomResourceOptions): k8s.core.v1.ServiceAccount {
  return new k8s.core.v1.ServiceAccount(
    name,
    {
      metadata: { name: serviceAccountName(identity), namespace, labels: identityLabels(identity), ...(roleArn === undefined ? {} : { annotations: { "eks.amazonaws.com/role-arn": roleArn } }) },
      automountServiceAccountToken: false,
    },
    options,
  );
}

export function networkPolicy(name: string, { identity, namespace, servers, objectStores, ...others }: IdentityPlace, ingress: readonly Allowance[], options: pulumi.CustomResourceOptions): k8s.networking.v1.NetworkPolicy {
  const policy = { namespace, selector: identitySelector(identity), labels: identityLabels(identity), ingress, egress: egressOf(identity, servers, objectStores, others) };
  return allowList(name, policy, options);
}

export interface DrContainer {
  /** After `dr --config FILE`. */
  readonly command: readonly string[];
  /** What it may use of a node. */
  readonly cpu: { readonly requested: string; readonly most: string };
  readonly memory: { readonly requested: string; readonly most: string };
  readonly more?: Partial<Container>;
}

/** `dr` in a restricted pod, with the identity's files and no others. */
export function podOf(place: IdentityPlace, { command, cpu, memory, more = {} }: DrContainer): PodSpec {
  const files = filesOf(place);
  const onNode = `${mebibytes(place) + temporary}Mi`;
  const disk = isBig(place) ? `${temporary}Mi` : onNode;
  return {
    ...restrictedPod,
    ...besidePrometheus(place),
    ...(speaksToKubernetes(place) ? { automountServiceAccountToken: true } : {}),
    serviceAccountName: serviceAccountName(place.identity),
    containers: [
      {
        ...restrictedContainer,
        name: "dr",
        image: place.image,
        imagePullPolicy: pullPolicyOf(place.image),
        command: ["dr", "--config", drJsonPath, ...command],
        // The root file system is read-only; neither Node nor pgBackRest may look for a home elsewhere.
        env: [{ name: "HOME", value: workFolder }, { name: "TMPDIR", value: temporaryFolder }],
        resources: { requests: { cpu: cpu.requested, memory: memory.requested, "ephemeral-storage": disk }, limits: { cpu: cpu.most, memory: memory.most, "ephemeral-storage": disk } },
        volumeMounts: files.mounts,
        ...more,
      },
    ],
    volumes: files.volumes,
  };
}

const temporaryFolder = "/tmp";
/** MiB, of /tmp. */
const temporary = 256;
/** Nodes have little room of their own, and what fills it evicts its neighbours: more than this gets a volume. */
const mostOnNode = gib(16);
const mebibytes = ({ plan, identity }: IdentityPlace): number => Math.ceil(scratchOf(plan, identity) / mib(1));
const isBig = ({ plan, identity }: IdentityPlace): boolean => scratchOf(plan, identity) > mostOnNode;

function filesOf(place: IdentityPlace): { readonly volumes: Volume[]; readonly mounts: VolumeMount[] } {
  const { plan, identity, objectStores } = place;
  const secrets = secretFiles([...new Set([...secretsOfIdentity(plan, identity), ...Object.values(objectStores).flatMap(({ credentialsSecret = [] }) => credentialsSecret)])]);
  const temp = scratch("tmp", temporaryFolder, `${temporary}Mi`);
  const parts: readonly { readonly volume: Volume; readonly mount: VolumeMount }[] = [
    { volume: { name: "config", configMap: { name: configName(identity) } }, mount: { name: "config", mountPath: drJsonFolder, readOnly: true } },
    { volume: workVolume(place), mount: { name: "work", mountPath: workFolder } },
    temp,
    ...postgresTls(place),
    ...redisTls(identity),
    ...vaultFiles(identity, place.servers),
    ...vectorsTls(identity, place.servers),
    ...othersFiles(identity, place),
    ...prometheusData(place),
    ...authorities(objectStores),
  ];
  return { volumes: [...parts.map(({ volume }) => volume), ...secrets.volumes], mounts: [...parts.map(({ mount }) => mount), ...secrets.mounts] };
}

function workVolume(place: IdentityPlace): Volume {
  const size = `${mebibytes(place)}Mi`;
  if (!isBig(place)) return { name: "work", emptyDir: { sizeLimit: size } };
  const claim = { accessModes: ["ReadWriteOnce"], ...(place.storageClass === undefined ? {} : { storageClassName: place.storageClass }), resources: { requests: { storage: size } } };
  return { name: "work", ephemeral: { volumeClaimTemplate: { metadata: { labels: identityLabels(place.identity) }, spec: claim } } };
}

/** Mode 0440: pgBackRest refuses a key that others can read. */
function postgresTls({ identity, servers }: IdentityPlace) {
  if (servers.postgres === undefined || rolesOf(identity).postgres === undefined) return [];
  const secret = { secretName: servers.postgres.clientSecret, defaultMode: 0o440 };
  return [{ volume: { name: "postgres-tls", secret }, mount: { name: "postgres-tls", mountPath: postgresTlsFolder, readOnly: true } }];
}

/** Reads the cluster's manifests with its account's own token; nobody else has one. */
export const speaksToKubernetes = ({ identity, servers }: Pick<IdentityPlace, "identity" | "servers">): boolean => identity === "config" && servers.kubernetes !== undefined;

function prometheusData({ identity, servers: { prometheus } }: IdentityPlace) {
  if (identity !== "metrics" || prometheus?.data === undefined) return [];
  return [{ volume: { name: "prometheus", persistentVolumeClaim: { claimName: prometheus.data.claim } }, mount: { name: "prometheus", mountPath: prometheusFolder } }];
}

/** As Prometheus' own user, or the volume would change its group under it; and on its node, as most volumes are of one. */
function besidePrometheus({ identity, servers: { prometheus } }: IdentityPlace): Partial<PodSpec> {
  if (identity !== "metrics" || prometheus?.data === undefined) return {};
  const { uid, gid } = prometheus.data.user ?? { uid: 1_000, gid: 2_000 };
  const term = { labelSelector: { matchLabels: { "app.kubernetes.io/name": "prometheus" } }, topologyKey: "kubernetes.io/hostname" };
  return {
    securityContext: { ...restrictedPod.securityContext, runAsUser: uid, runAsGroup: gid, fsGroup: gid },
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
  };
}

function authorities(stores: ObjectStores) {
  return Object.entries(stores).flatMap(([backend, { authority }]) => {
    if (authority === undefined) return [];
    const name = `authority-${backend}`;
    return [{ volume: { name, secret: { secretName: authority, defaultMode: 0o440, items: [{ key: "ca.crt", path: "ca.crt" }] } }, mount: { name, mountPath: authorityFolder(backend), readOnly: true } }];
  });
}

