import type { types } from "@pulumi/kubernetes";
import { qdrantStartScript, qdrantYaml } from "../../../plan/config/qdrant.ts";
import { secretMark, secretScript } from "../../../plan/config/secret-template.ts";
import { vectorsSecret } from "../../../plan/secrets.ts";
import { ports } from "../../../plan/servers.ts";
import { pullPolicyOf } from "../../kubernetes/image.ts";
import { allowList, type Peer } from "../../kubernetes/network.ts";
import { restrictedContainer, scratch } from "../../kubernetes/pod.ts";
import { hostIn } from "../../topology.ts";
import { certificate, tlsFiles, tlsMount } from "../servers/certificate.ts";
import { child, type ServerSet } from "../servers/context.ts";
import { configMap, filesDigest, filesFolder, filesMount, memory, runFolder, secretsContainer, type Files } from "../servers/files.ts";
import { allow, sameNamespace } from "../servers/regions.ts";
import { clientService, headlessService, serverServices } from "../servers/services.ts";
import { containerResources, expectedSize, mebibytes } from "../servers/size.ts";
import { budget, claims, dataMount, serviceAccount, statefulServers } from "../servers/stateful-set.ts";
import type { QdrantStoreArgs } from "../vector-store.ts";

const volumeFolder = "/var/lib/qdrant";
const configuration = "config.yaml";
const startScript = "start.sh";
const renderScript = "secrets.sh";

/** The nodes of one region, with everything around them. */
export function qdrantNodes(args: QdrantStoreArgs, set: ServerSet): void {
  const files = filesOf(set);
  const services = { http: ports.vectors.http, grpc: ports.vectors.grpc };
  configMap(set, files);
  certificate(set, args.issuer);
  serviceAccount(set);
  headlessService(set, { ...services, peers: ports.vectors.peers });
  serverServices(set, { ...services, peers: ports.vectors.peers });
  clientService(set, services);
  network(args, set);
  budget(set);
  statefulServers(set, { annotations: filesDigest(files), storage: args.storage, dependsOn: claims(set, args.storage), pod: pod(args, set, files) });
}

function filesOf(set: ServerSet): Files & { readonly [configuration]: string } {
  const [apiKey, readOnlyApiKey] = [secretMark(vectorsSecret("full")), secretMark(vectorsSecret("read-only"))];
  return {
    [configuration]: qdrantYaml({ ports: ports.vectors, storageDirectory: `${volumeFolder}/storage`, snapshotsDirectory: `${volumeFolder}/snapshots`, tls: tlsFiles, apiKey, readOnlyApiKey }),
    [startScript]: qdrantStartScript({ nodes: set.names.map((name) => ({ name, host: hostIn(set.place, name) })), peerPort: ports.vectors.peers }),
    [renderScript]: secretScript,
  };
}

function pod({ image, plan, resources }: QdrantStoreArgs, set: ServerSet, files: ReturnType<typeof filesOf>): types.input.core.v1.PodSpec {
  const secrets = secretsContainer(image, set, { script: renderScript, files: { [configuration]: files[configuration] } });
  const temporary = scratch("tmp", "/tmp", "256Mi");
  const total = set.names.length;
  return {
    serviceAccountName: set.base,
    terminationGracePeriodSeconds: 60,
    initContainers: [secrets.container],
    containers: [
      {
        ...restrictedContainer,
        name: "qdrant",
        image,
        imagePullPolicy: pullPolicyOf(image),
        workingDir: "/qdrant", // where the image has the program
        command: ["/bin/bash", `${filesFolder}/${startScript}`, "$(SERVER)", `${runFolder}/${configuration}`],
        env: [
          { name: "SERVER", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          // It marks its start with a file, by default in the image's folder, which cannot be written.
          { name: "QDRANT_INIT_FILE_PATH", value: "/tmp/.qdrant-initialized" },
        ],
        ports: Object.entries(ports.vectors).map(([name, containerPort]) => ({ name, containerPort })),
        volumeMounts: [filesMount(set).mount, memory.mount, tlsMount(set).mount, dataMount(volumeFolder), temporary.mount],
        // Vectors and their index are in memory: the share of one node, if all of it were, and as much again.
        resources: containerResources(resources ?? { cpu: "1", memory: mebibytes(expectedSize(plan, "vectors"), 2 / total, 1_024) }),
        // Loading a large collection is part of the start.
        startupProbe: { ...health("/livez"), failureThreshold: 90 },
        livenessProbe: { ...health("/livez"), failureThreshold: 6 },
        readinessProbe: { ...health("/readyz"), failureThreshold: 2 },
      },
    ],
    volumes: [filesMount(set).volume, memory.volume, tlsMount(set).volume, temporary.volume, ...secrets.volumes],
  };
}
/** These paths ask for no key. */
const health = (path: string): types.input.core.v1.Probe => ({ httpGet: { scheme: "HTTPS", port: "http", path }, periodSeconds: 10, timeoutSeconds: 5 });

/** The cluster is inside one region; its nodes go nowhere else, least of all where they are told to by a request. */
function network({ clients = sameNamespace }: QdrantStoreArgs, set: ServerSet): void {
  const same: readonly Peer[] = [{ kind: "pods", selector: set.selector }];
  const { grpc, http, peers } = ports.vectors;
  allowList(
    `${set.prefix}-network`,
    { namespace: set.place.namespace, selector: set.selector, labels: set.labels, ingress: [...allow(same, [http, peers]), ...allow(clients, [http, grpc])], egress: allow(same, [http, peers]) },
    child(set),
  );
}
