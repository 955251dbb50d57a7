import type { types } from "@pulumi/kubernetes";
import { configurationOf, probeScriptFile, secretScriptFile, sentinelFiles, sentinelStartFile, type RedisFilesArgs } from "../../../plan/config/redis-files.ts";
import { sentinelSecret } from "../../../plan/secrets.ts";
import { ports, redisName } from "../../../plan/servers.ts";
import { pullPolicyOf } from "../../kubernetes/image.ts";
import { allowList, type Peer } from "../../kubernetes/network.ts";
import { restrictedContainer, secretFiles, selectorOf } from "../../kubernetes/pod.ts";
import { certificate, tlsMount } from "../servers/certificate.ts";
import { child, type ServerSet } from "../servers/context.ts";
import { configMap, filesDigest, filesFolder, filesMount, memory, runFolder, secretsContainer, type Files } from "../servers/files.ts";
import { allow, otherRegions, sameNamespace } from "../servers/regions.ts";
import { headlessService, serverServices } from "../servers/services.ts";
import { budget, serviceAccount, statefulServers } from "../servers/stateful-set.ts";
import type { RedisReplicationArgs } from "./args.ts";
import { firstPrimary, sentinelIn } from "./names.ts";

const running = `${runFolder}/sentinel.conf`;

/** This region's Sentinel. It keeps nothing: what it must know after a restart, the other two tell it. */
export function sentinelServer(args: RedisReplicationArgs, set: ServerSet, given: Omit<RedisFilesArgs, "servers">): void {
  const first = firstPrimary(args.plan, args.topology);
  const files = sentinelFiles({ ...given, servers: [], sentinel: sentinelIn(set.place), primaryPort: first.port });
  configMap(set, files);
  certificate(set, args.issuer);
  serviceAccount(set);
  headlessService(set, { sentinel: ports.sentinel });
  serverServices(set, { sentinel: ports.sentinel });
  network(args, set);
  budget(set);
  statefulServers(set, { annotations: filesDigest(files), dependsOn: [], pod: pod(args, set, files, first.host) });
}

function pod({ image }: RedisReplicationArgs, set: ServerSet, files: Files, first: string): types.input.core.v1.PodSpec {
  const { host, name, port } = sentinelIn(set.place);
  const configuration = configurationOf(name);
  const secrets = secretsContainer(image, set, { script: secretScriptFile, files: { [configuration]: files[configuration] ?? "" } });
  const own = secretFiles([sentinelSecret]);
  const live: types.input.core.v1.Probe = { exec: { command: ["/bin/sh", `${filesFolder}/${probeScriptFile}`, "live"] }, periodSeconds: 10, timeoutSeconds: 5 };
  return {
    serviceAccountName: set.base,
    initContainers: [secrets.container],
    containers: [
      {
        ...restrictedContainer,
        name: "sentinel",
        image,
        imagePullPolicy: pullPolicyOf(image),
        command: ["/bin/sh", `${filesFolder}/${sentinelStartFile}`, `${host}:${port}`, `${runFolder}/${configuration}`, running, first],
        workingDir: runFolder,
        ports: [{ name: "sentinel", containerPort: port }],
        volumeMounts: [filesMount(set).mount, memory.mount, tlsMount(set).mount, ...own.mounts],
        resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
        // Until the primary's name can be resolved it waits, which another region's `up` may end in an hour.
        startupProbe: { ...live, failureThreshold: 360 },
        livenessProbe: { ...live, failureThreshold: 6 },
        readinessProbe: { ...live, failureThreshold: 2 },
      },
    ],
    volumes: [filesMount(set).volume, memory.volume, tlsMount(set).volume, ...new Map([...secrets.volumes, ...own.volumes].map((volume) => [volume.name, volume])).values()],
  };
}

function network({ clients = sameNamespace, networks, topology }: RedisReplicationArgs, set: ServerSet): void {
  const same: Peer[] = [set.selector, selectorOf("redis", redisName("production"))].map((selector) => ({ kind: "pods", selector }));
  const system = [...same, ...otherRegions(topology, set.place, { networks, selector: { "app.kubernetes.io/name": "redis" } })];
  allowList(
    `${set.prefix}-network`,
    { namespace: set.place.namespace, selector: set.selector, labels: set.labels, ingress: allow([...system, ...clients], [ports.sentinel]), egress: allow(system, [ports.redis, ports.sentinel]) },
    child(set),
  );
}
