import type { types } from "@pulumi/kubernetes";
import { certificateNames, commonNames, etcdFile, etcdFiles, postgresPaths } from "../../../plan/config/postgres-files.ts";
import { ports } from "../../../plan/servers.ts";
import { pullPolicyOf } from "../../kubernetes/image.ts";
import { restrictedContainer } from "../../kubernetes/pod.ts";
import { hostIn } from "../../topology.ts";
import { configMap, filesDigest, filesFolder, filesMount } from "../servers/files.ts";
import { headlessService, serverServices } from "../servers/services.ts";
import { containerResources } from "../servers/size.ts";
import { budget, claims, dataMount, serviceAccount, statefulServers } from "../servers/stateful-set.ts";
import { certificate, certificateMount } from "./certificates.ts";
import type { ClusterContext } from "./context.ts";
import { etcdPolicy } from "./policies.ts";

/** Patroni writes a few kilobytes every few seconds, and the history is thrown away each hour. */
const volume = "4Gi";
const resources = containerResources({ cpu: "100m", memory: "256Mi" });

/**
 * This region's member of etcd. Two of three regions are a majority, so that it comes up with the second of them and
 * survives the loss of any one. A member whose volume is lost must be taken out (`etcdctl member remove`) before it
 * comes back empty: etcd does not take a new member under an old one's name.
 */
export function etcdServer(context: ClusterContext): void {
  const { args, arbiter, arbiters, etcd: set } = context;
  const storage = { className: args.storage.className, size: volume };
  const files = etcdFiles({ plan: args.plan, version: context.versions.etcd, member: arbiter, members: arbiters, clusterToken: context.scope });
  const open = { client: ports.etcd.client, peer: ports.etcd.peer };
  configMap(set, files);
  etcdCertificates(context);
  serviceAccount(set);
  headlessService(set, open);
  serverServices(set, open);
  etcdPolicy(context);
  budget(set);
  statefulServers(set, { annotations: filesDigest(files), storage, dependsOn: claims(set, storage), pod: pod(context) });
}

function etcdCertificates({ arbiter, args: { issuer, plan }, etcd: set }: ClusterContext): void {
  const names = set.names.flatMap((server) => [hostIn(set.place, server), `${server}.${set.place.namespace}.svc.cluster.local`, "localhost"]);
  // Also a client: its gateway, which Patroni speaks to, is one of its own server.
  certificate(set, issuer, { name: certificateNames.etcd, commonName: commonNames.etcd, dnsNames: [...new Set(names)], usages: ["server auth", "client auth"] });
  certificate(set, issuer, { name: certificateNames.etcdPeer, commonName: commonNames.etcd, uris: [`urn:${plan.name}:etcd:${arbiter.name}`], usages: ["client auth"] });
}

function pod({ args: { image }, etcd: set }: ClusterContext): Omit<types.input.core.v1.PodSpec, "affinity"> {
  const mounts = [filesMount(set), certificateMount(set, certificateNames.etcd), certificateMount(set, certificateNames.etcdPeer)];
  const health = (path: string): types.input.core.v1.Probe => ({ httpGet: { path, port: "metrics", scheme: "HTTP" }, periodSeconds: 10, timeoutSeconds: 5 });
  return {
    serviceAccountName: set.base,
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        ...restrictedContainer,
        name: "etcd",
        image,
        imagePullPolicy: pullPolicyOf(image),
        command: ["etcd", `--config-file=${filesFolder}/${etcdFile}`],
        ports: Object.entries(ports.etcd).map(([name, containerPort]) => ({ name, containerPort })),
        volumeMounts: [...mounts.map(({ mount }) => mount), dataMount(postgresPaths.etcdVolume)],
        resources,
        // Alive is who answers: one without a leader waits for the other regions, and a restart would not bring them.
        livenessProbe: { ...health("/metrics"), failureThreshold: 6 },
        readinessProbe: { ...health("/health"), failureThreshold: 3 },
      },
    ],
    volumes: mounts.map(({ volume: one }) => one),
  };
}
