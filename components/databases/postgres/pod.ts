import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { certificateNames, patroniFile, postgresPaths, secretScriptFile } from "../../../plan/config/postgres-files.ts";
import { hostPgbackrestConf } from "../../../plan/config/pgbackrest.ts";
import { ports } from "../../../plan/servers.ts";
import { pullPolicyOf } from "../../kubernetes/image.ts";
import { restrictedContainer, scratch } from "../../kubernetes/pod.ts";
import { filesMount, memory, runFolder, secretsContainer, type Files } from "../servers/files.ts";
import { containerResources } from "../servers/size.ts";
import { dataMount } from "../servers/stateful-set.ts";
import type { StoreResources } from "../store-args.ts";
import { authorityMount, certificateMount } from "./certificates.ts";
import type { ClusterContext } from "./context.ts";
import { recoveryContainer } from "./recovery.ts";

type Container = types.input.core.v1.Container;
type EnvVar = types.input.core.v1.EnvVar;
interface Mounted {
  readonly volume: types.input.core.v1.Volume;
  readonly mount: types.input.core.v1.VolumeMount;
}

/** Patroni stops PostgreSQL with a checkpoint and has its last WAL archived; killed before, it starts with a recovery. */
const stopWithin = 300;
/** PostgreSQL shares memory between parallel workers; Kubernetes gives 64 MiB by itself, which queries outgrow. */
const sharedMemory = "1Gi";
/** WAL that is fetched ahead (512 MiB) and the archiver's notes. */
const spool = "2Gi";
const tokenFolder = "/var/run/secrets/dr-web-identity";

/** Patroni with PostgreSQL, and pgBackRest's TLS server beside it, by which jobs back the data up. */
export function databasePod(context: ClusterContext, templates: Files, resources: StoreResources): Omit<types.input.core.v1.PodSpec, "affinity"> {
  const { args, database: set, standing } = context;
  const secrets = secretsContainer(args.image, set, { script: secretScriptFile, files: templates });
  const identity = webIdentity(context);
  const shared: Mounted[] = [
    { volume: memory.volume, mount: memory.mount },
    scratch("socket", postgresPaths.socket, "1Mi"),
    scratch("pgbackrest", postgresPaths.pgbackrest, spool),
    scratch("tmp", "/tmp", "1Gi"),
    ...stores(context),
    ...identity.mounts,
  ];
  const patroniOnly: Mounted[] = [
    { volume: { name: "shared-memory", emptyDir: { medium: "Memory", sizeLimit: sharedMemory } }, mount: { name: "shared-memory", mountPath: "/dev/shm" } },
    certificateMount(set, certificateNames.postgres),
    certificateMount(set, certificateNames.patroni),
  ];
  const server = certificateMount(set, certificateNames.pgbackrest);
  const mounts = [...shared.map(({ mount }) => mount), dataMount(postgresPaths.volume)];
  const recovery = recoveryContainer(context, [filesMount(set).mount, ...mounts], identity.env, containerResources(resources));
  const archiving = standing === "production";
  return {
    serviceAccountName: args.identity?.serviceAccount,
    terminationGracePeriodSeconds: stopWithin,
    initContainers: [secrets.container, ...recovery.containers],
    containers: [
      patroni(context, [...mounts, ...patroniOnly.map(({ mount }) => mount)], identity.env, resources),
      ...(archiving ? [pgbackrest(context, [...mounts, server.mount], identity.env)] : []),
    ],
    volumes: uniqueByName([filesMount(set).volume, ...shared, ...patroniOnly, ...(archiving ? [server] : [])], [...secrets.volumes, ...recovery.volumes]),
  };
}

function patroni({ args: { image } }: ClusterContext, volumeMounts: types.input.core.v1.VolumeMount[], env: EnvVar[], resources: StoreResources): Container {
  return {
    ...restrictedContainer,
    name: "patroni",
    image,
    imagePullPolicy: pullPolicyOf(image),
    command: ["patroni", `${runFolder}/${patroniFile("$(SERVER)")}`],
    workingDir: postgresPaths.volume,
    env: [serverName, ...env],
    ports: [{ name: "postgres", containerPort: ports.postgres.server }, { name: "rest", containerPort: ports.postgres.rest }],
    volumeMounts,
    resources: containerResources(resources),
    // Alive is a Patroni whose loop goes on; PostgreSQL may meanwhile start, replay or be made anew for hours.
    livenessProbe: { ...rest("/liveness"), failureThreshold: 6 },
    readinessProbe: { ...rest("/readiness"), failureThreshold: 3 },
  };
}

const rest = (path: string): types.input.core.v1.Probe => ({ httpGet: { path, port: "rest", scheme: "HTTPS" }, periodSeconds: 10, timeoutSeconds: 5 });
const serverName: EnvVar = { name: "SERVER", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };

function pgbackrest({ args: { image } }: ClusterContext, volumeMounts: types.input.core.v1.VolumeMount[], env: EnvVar[]): Container {
  return {
    ...restrictedContainer,
    name: "pgbackrest",
    image,
    imagePullPolicy: pullPolicyOf(image),
    command: ["pgbackrest", `--config=${hostPgbackrestConf}`, "--log-level-console=info", "server"],
    env,
    ports: [{ name: "pgbackrest", containerPort: ports.postgres.pgbackrest }],
    volumeMounts,
    // A full backup reads, compresses and encrypts here, and must not starve the database beside it.
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { cpu: "2", memory: "1Gi" } },
    livenessProbe: { tcpSocket: { port: "pgbackrest" }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
  };
}

const stores = ({ args: { repositories = [] } }: ClusterContext): Mounted[] => repositories.flatMap(({ authority, backend }) => (authority === undefined ? [] : [authorityMount(backend, authority)]));

/**
 * The pod's own token and the role's name, for pgBackRest under PostgreSQL, in the server and in `dr`. Said here and not
 * left to EKS's webhook, so that a cluster without it works as well; neither is a secret.
 */
function webIdentity({ args: { identity }, repositories }: ClusterContext): { readonly env: EnvVar[]; readonly mounts: Mounted[] } {
  const roleArn: pulumi.Input<string> | undefined = identity?.roleArn;
  if (roleArn === undefined || !repositories.some(({ credentials }) => credentials.kind === "web-identity")) return { env: [], mounts: [] };
  const token = { audience: "sts.amazonaws.com", expirationSeconds: 86_400, path: "token" };
  return {
    env: [{ name: "AWS_ROLE_ARN", value: roleArn }, { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: `${tokenFolder}/${token.path}` }],
    mounts: [{ volume: { name: "web-identity", projected: { defaultMode: 0o440, sources: [{ serviceAccountToken: token }] } }, mount: { name: "web-identity", mountPath: tokenFolder, readOnly: true } }],
  };
}

/** A secret that two containers read is one volume. */
function uniqueByName(mounted: readonly (Mounted | types.input.core.v1.Volume)[], more: readonly types.input.core.v1.Volume[]): types.input.core.v1.Volume[] {
  const volumes = [...mounted.map((one) => ("volume" in one ? one.volume : one)), ...more];
  return [...new Map(volumes.map((volume) => [volume.name, volume])).values()];
}
