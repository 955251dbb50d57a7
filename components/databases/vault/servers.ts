import type { types } from "@pulumi/kubernetes";
import { baoHcl, type VaultFlavour } from "../../../plan/config/bao.ts";
import { ports } from "../../../plan/servers.ts";
import { hostIn } from "../../topology.ts";
import { pullPolicyOf } from "../../kubernetes/image.ts";
import { allowList, publicAddresses, type Peer } from "../../kubernetes/network.ts";
import { restrictedContainer, scratch } from "../../kubernetes/pod.ts";
import { certificate, tlsFiles, tlsMount } from "../servers/certificate.ts";
import { child, type ServerSet } from "../servers/context.ts";
import { configMap, filesDigest, filesFolder, filesMount, type Files } from "../servers/files.ts";
import { allow, sameNamespace } from "../servers/regions.ts";
import { clientService, headlessService, serverServices } from "../servers/services.ts";
import { containerResources, expectedSize, mebibytes } from "../servers/size.ts";
import { budget, claims, dataMount, serviceAccount, statefulServers } from "../servers/stateful-set.ts";
import type { VaultClusterArgs } from "../vault-cluster.ts";

/** The volume as it is: neither Vault nor OpenBao 2.4 makes the folder of its data, and without one they end (openbao#3649). */
const dataDirectory = "/var/lib/vault";
/** EKS gives pods of an annotated account the role's credentials as a token in a file. */
const roleAnnotation = "eks.amazonaws.com/role-arn";

export interface VaultServers {
  readonly args: VaultClusterArgs;
  readonly flavour: VaultFlavour;
  readonly set: ServerSet;
}

/** The servers of one region, with everything around them. */
export function vaultServers({ args, flavour, set }: VaultServers): void {
  const files = configurations(args, flavour, set);
  const services = { api: ports.vault.api, cluster: ports.vault.cluster };
  configMap(set, files);
  certificate(set, args.issuer);
  serviceAccount(set, { [roleAnnotation]: args.sealRoleArn });
  headlessService(set, services);
  serverServices(set, services);
  clientService(set, { api: ports.vault.api });
  network(args, set);
  budget(set);
  statefulServers(set, { annotations: filesDigest(files), storage: args.storage, dependsOn: claims(set, args.storage), pod: pod(args, flavour, set) });
}

/** One file a server: a raft server's name and address are its own. */
function configurations({ plan, region, version }: VaultClusterArgs, flavour: VaultFlavour, set: ServerSet): Files {
  const servers = set.names.map((name) => ({ name, host: hostIn(set.place, name) }));
  return Object.fromEntries(servers.map((server) => [`${server.name}.hcl`, baoHcl({ plan, flavour, version, region, server, servers, ports: ports.vault, dataDirectory, tls: tlsFiles })]));
}

function pod({ image, plan, resources }: VaultClusterArgs, flavour: VaultFlavour, set: ServerSet): types.input.core.v1.PodSpec {
  const temporary = scratch("tmp", "/tmp", "64Mi");
  return {
    serviceAccountName: set.base,
    // A leader that is told to stop hands over first.
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        ...restrictedContainer,
        name: flavour.kind,
        image,
        imagePullPolicy: pullPolicyOf(image),
        // Not by the image's entry point, which would change owners and capabilities as root.
        command: [flavour.kind === "openbao" ? "bao" : "vault", "server", `-config=${filesFolder}/$(SERVER).hcl`],
        env: [
          { name: "SERVER", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "HOME", value: "/tmp" },
        ],
        ports: [
          { name: "api", containerPort: ports.vault.api },
          { name: "cluster", containerPort: ports.vault.cluster },
        ],
        volumeMounts: [filesMount(set).mount, tlsMount(set).mount, dataMount(dataDirectory), temporary.mount],
        resources: containerResources(resources ?? { cpu: "250m", memory: mebibytes(expectedSize(plan, "vault"), 4, 256) }),
        // Sealed or not initialised, it still lives: a restart would change nothing.
        livenessProbe: { ...health("standbyok=true&sealedcode=204&uninitcode=204"), failureThreshold: 6 },
        // Clients are sent to a server that can answer: the leader, or a standby that passes requests on.
        readinessProbe: { ...health("standbyok=true"), failureThreshold: 2 },
      },
    ],
    volumes: [filesMount(set).volume, tlsMount(set).volume, temporary.volume],
  };
}
const health = (query: string): types.input.core.v1.Probe => ({ httpGet: { scheme: "HTTPS", port: "api", path: `/v1/sys/health?${query}` }, periodSeconds: 10, timeoutSeconds: 5 });

/** The quorum is inside one region, so no other is spoken to. */
function network({ clients = sameNamespace, sealNetworks }: VaultClusterArgs, set: ServerSet): void {
  const aws: readonly Peer[] = sealNetworks?.map((cidr) => ({ kind: "addresses", cidr })) ?? [publicAddresses];
  const same: readonly Peer[] = [{ kind: "pods", selector: set.selector }];
  allowList(
    `${set.prefix}-network`,
    {
      namespace: set.place.namespace,
      selector: set.selector,
      labels: set.labels,
      ingress: [...allow(same, [ports.vault.api, ports.vault.cluster]), ...allow(clients, [ports.vault.api])],
      // KMS and the token service, over HTTPS.
      egress: [...allow(same, [ports.vault.api, ports.vault.cluster]), ...allow(aws, [443])],
    },
    child(set),
  );
}
