import type { types } from "@pulumi/kubernetes";
import { aclFile, configurationOf, probeScriptFile, recoverScriptFile, redisServerFiles, secretScriptFile, startScriptFile, type RedisFilesArgs, type RedisPaths } from "../../../plan/config/redis-files.ts";
import { drJsonFolder } from "../../../plan/config/dr-json.ts";
import { secretsFolder } from "../../../plan/names.ts";
import { redisSecret, sentinelSecret } from "../../../plan/secrets.ts";
import { ports, sentinelName } from "../../../plan/servers.ts";
import type { Plan } from "../../../plan/types.ts";
import { pullPolicyOf } from "../../kubernetes/image.ts";
import { allowList, publicAddresses, type Peer } from "../../kubernetes/network.ts";
import { restrictedContainer, scratch, secretFiles, selectorOf } from "../../kubernetes/pod.ts";
import { certificate, tlsFolder, tlsMount } from "../servers/certificate.ts";
import { child, type ServerSet } from "../servers/context.ts";
import { configMap, filesDigest, filesFolder, filesMount, memory, runFolder, secretsContainer, type Files } from "../servers/files.ts";
import { allow, otherRegions, sameNamespace } from "../servers/regions.ts";
import { headlessService, serverServices } from "../servers/services.ts";
import { budget, claims, dataMount, serviceAccount, statefulServers } from "../servers/stateful-set.ts";
import { containerResources, expectedSize, mebibytes, type ContainerResources } from "../servers/size.ts";
import type { RedisReplicationArgs, RestoredRedis } from "./args.ts";

type Container = types.input.core.v1.Container;

/** The volume's root may hold what a file system puts there; the data has a folder of its own. */
const volumeFolder = "/var/lib/redis";
export const redisPaths: RedisPaths = { files: filesFolder, run: runFolder, data: `${volumeFolder}/data`, tls: tlsFolder, secrets: secretsFolder };
const running = `${runFolder}/redis.conf`;

/** Redis waits so long for its replicas when it is told to stop (shutdown-timeout, 10 s), then writes what it has. */
const stopWithin = 60;
/** Reading the append-only file is part of the start: the plan's figure for it, four times over, and a minute. */
const startAttempts = (plan: Plan): number => Math.ceil((60 + (4 * expectedSize(plan, "redis")) / plan.rates.redisLoad) / probePeriod);
const probePeriod = 10;

export interface RedisServers {
  readonly args: RedisReplicationArgs;
  readonly set: ServerSet;
  readonly files: RedisFilesArgs;
}

/** Redis's servers of one region, with everything around them. */
export function redisServers({ args, files: given, set }: RedisServers): void {
  const files = redisServerFiles(given);
  const restored = args.role.kind === "restored" ? args.role : undefined;
  configMap(set, files);
  certificate(set, args.issuer);
  if (restored === undefined) serviceAccount(set);
  headlessService(set, { redis: ports.redis });
  serverServices(set, { redis: ports.redis });
  network(args, set, restored);
  budget(set);
  statefulServers(set, { annotations: filesDigest(files), storage: args.storage, dependsOn: claims(set, args.storage), pod: pod(args, set, files, restored) });
}

function pod(args: RedisReplicationArgs, set: ServerSet, files: Files, restored: RestoredRedis | undefined): types.input.core.v1.PodSpec {
  const { image } = args;
  const rendered = Object.fromEntries(Object.entries(files).filter(([name]) => name === aclFile || name.endsWith(".conf")));
  const secrets = secretsContainer(image, set, { script: secretScriptFile, files: rendered });
  const recovery = restored === undefined ? undefined : recover(image, set, restored, resourcesOf(args));
  const read = secretFiles([redisSecret("monitoring"), ...(restored === undefined ? [sentinelSecret] : [])]);
  const volumes = [filesMount(set).volume, memory.volume, tlsMount(set).volume, ...secrets.volumes, ...read.volumes, ...(recovery?.volumes ?? [])];
  return {
    serviceAccountName: restored?.access.serviceAccount ?? set.base,
    terminationGracePeriodSeconds: stopWithin,
    initContainers: [secrets.container, ...(recovery === undefined ? [] : [recovery.container])],
    containers: [server(args, set, read.mounts, restored)],
    volumes: uniqueByName(volumes),
  };
}

function server(args: RedisReplicationArgs, set: ServerSet, secrets: readonly types.input.core.v1.VolumeMount[], restored: RestoredRedis | undefined): Container {
  const { image, plan } = args;
  const own = `${runFolder}/${configurationOf("$(SERVER)")}`;
  const start = ["/bin/sh", `${filesFolder}/${startScriptFile}`, `$(SERVER).${set.place.domain}`, own, running, redisPaths.data, String(ports.redis)];
  return {
    ...restrictedContainer,
    name: "redis",
    image,
    imagePullPolicy: pullPolicyOf(image),
    command: restored === undefined ? start : ["redis-server", own],
    workingDir: volumeFolder,
    env: [{ name: "SERVER", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
    ports: [{ name: "redis", containerPort: ports.redis }],
    volumeMounts: [filesMount(set).mount, memory.mount, tlsMount(set).mount, dataMount(volumeFolder), ...secrets],
    resources: resourcesOf(args),
    // While it waits for the Sentinels it does not listen yet; it says in its log what it waits for.
    startupProbe: { ...probe("live"), failureThreshold: startAttempts(plan) },
    livenessProbe: { ...probe("live"), failureThreshold: 6 },
    readinessProbe: { ...probe("ready"), failureThreshold: 2 },
  };
}
const probe = (what: "live" | "ready"): types.input.core.v1.Probe => ({ exec: { command: ["/bin/sh", `${filesFolder}/${probeScriptFile}`, what] }, periodSeconds: probePeriod, timeoutSeconds: 5 });

/** Fetches the backup and makes the data of it, before the server starts. */
function recover(image: string, set: ServerSet, { access }: RestoredRedis, resources: ContainerResources): { readonly container: Container; readonly volumes: types.input.core.v1.Volume[] } {
  const secrets = secretFiles(access.secrets);
  const work = scratch("work", access.workDirectory, "1Gi");
  const temporary = scratch("tmp", "/tmp", "256Mi");
  const configuration = { name: "dr", mountPath: drJsonFolder, readOnly: true };
  return {
    container: {
      ...restrictedContainer,
      name: "recover",
      image,
      imagePullPolicy: pullPolicyOf(image),
      command: ["/bin/sh", `${filesFolder}/${recoverScriptFile}`],
      volumeMounts: [filesMount(set).mount, memory.mount, dataMount(volumeFolder), work.mount, temporary.mount, configuration, ...secrets.mounts],
      resources,
    },
    volumes: [work.volume, temporary.volume, { name: "dr", configMap: { name: access.configMap, defaultMode: 0o444 } }, ...secrets.volumes],
  };
}

/** Twice the data: a snapshot's copy on write can double it while everything changes; and a buffer for replicas. */
const resourcesOf = ({ plan, resources }: RedisReplicationArgs): ContainerResources => containerResources(resources ?? { cpu: "500m", memory: mebibytes(expectedSize(plan, "redis"), 2, 512) });

function network(args: RedisReplicationArgs, set: ServerSet, restored: RestoredRedis | undefined): void {
  const { clients = sameNamespace, networks, topology } = args;
  const same: Peer[] = [set.selector, selectorOf("redis", sentinelName)].map((selector) => ({ kind: "pods", selector }));
  const others = otherRegions(topology, set.place, { networks, selector: { "app.kubernetes.io/name": "redis" } });
  const policy = { namespace: set.place.namespace, selector: set.selector, labels: set.labels };
  if (restored === undefined) {
    const system = [...same, ...others];
    allowList(`${set.prefix}-network`, { ...policy, ingress: allow([...system, ...clients], [ports.redis]), egress: allow(system, [ports.redis, ports.sentinel]) }, child(set));
    return;
  }
  // It reads its backup and then speaks to nobody: not to production, whatever its configuration might say.
  allowList(`${set.prefix}-network`, { ...policy, ingress: allow(clients, [ports.redis]), egress: restored.access.objectStores ?? allow([publicAddresses], [443]) }, child(set));
}

/** A secret that two containers read is one volume. */
function uniqueByName(volumes: readonly types.input.core.v1.Volume[]): types.input.core.v1.Volume[] {
  return [...new Map(volumes.map((volume) => [volume.name, volume])).values()];
}
