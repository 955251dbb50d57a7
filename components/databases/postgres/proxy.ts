import * as k8s from "@pulumi/kubernetes";
import type { types } from "@pulumi/kubernetes";
import { healthPath, livePath, settledAfter } from "../../../plan/config/haproxy.ts";
import { certificateNames, haproxyFile, proxyFiles } from "../../../plan/config/postgres-files.ts";
import { ports } from "../../../plan/servers.ts";
import { pullPolicyOf } from "../../kubernetes/image.ts";
import { apart, restrictedContainer, restrictedPod } from "../../kubernetes/pod.ts";
import { child } from "../servers/context.ts";
import { configMap, filesDigest, filesFolder, filesMount } from "../servers/files.ts";
import { clientHost, headlessName, skipAwait } from "../servers/services.ts";
import { budget, serviceAccount } from "../servers/stateful-set.ts";
import { certificate, certificateMount } from "./certificates.ts";
import type { ClusterContext } from "./context.ts";
import { proxyPolicy } from "./policies.ts";

type Proxy = typeof ports.postgresProxy;
export interface ProxyService {
  /** Of the Kubernetes service. */
  readonly name: string;
  /** Of the service and of the pods alike: network policies see the pods', whatever the client called. */
  readonly port: number;
  readonly target: keyof Proxy;
}

/** The proxy's doors, each a service of its own, whose name says what is behind. */
export function proxyServices({ proxy: { base } }: ClusterContext): Readonly<Record<Exclude<keyof Proxy, "metrics">, ProxyService>> {
  const service = (target: keyof Proxy, name: string): ProxyService => ({ name, port: ports.postgresProxy[target], target });
  return {
    writer: service("writer", base),
    reader: service("reader", `${base}-replica`),
    local: service("local", `${base}-local`),
    pgbackrest: service("pgbackrest", `${base}-pgbackrest`),
    health: service("health", `${base}-health`),
  };
}

/** Of any two, one goes on through a node's maintenance or loss. */
const replicas = 2;

/** HAProxy on Patroni's health paths, and the services before it. */
export function proxyServers(context: ClusterContext): void {
  const { args, members, proxy: set } = context;
  // By the pod's own name: the service before it is for the other regions, and has no door to pgBackRest.
  const files = proxyFiles(args.plan, args.region, members, (server) => `${server}.${headlessName(context.database)}.${set.place.namespace}.svc.cluster.local`);
  configMap(set, files);
  const { health } = proxyServices(context);
  const names = [clientHost(health.name, set.place), `${health.name}.${set.place.namespace}.svc`, ...(args.health?.kind === "ingress" ? [args.health.host] : [])];
  certificate(set, args.issuer, { name: certificateNames.health, commonName: set.base, dnsNames: names, usages: ["server auth"] });
  serviceAccount(set);
  for (const service of Object.values(proxyServices(context))) declareService(context, service);
  proxyPolicy(context);
  budget(set);
  deployment(context, filesDigest(files));
  if (args.health?.kind === "ingress") ingress(context, args.health);
}

function declareService({ proxy: set }: ClusterContext, { name, port, target }: ProxyService): void {
  new k8s.core.v1.Service(
    `${set.prefix}-${target}`,
    {
      metadata: { name, namespace: set.place.namespace, labels: set.labels, annotations: skipAwait },
      spec: { type: "ClusterIP", selector: set.selector, ports: [{ name: target, port, targetPort: port, protocol: "TCP" }] },
    },
    child(set),
  );
}

function deployment(context: ClusterContext, annotations: Record<string, string>): void {
  const { proxy: set } = context;
  new k8s.apps.v1.Deployment(
    `${set.prefix}-servers`,
    {
      metadata: { name: set.base, namespace: set.place.namespace, labels: set.labels, annotations: skipAwait },
      spec: {
        replicas,
        selector: { matchLabels: set.selector },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: { metadata: { labels: set.labels, annotations }, spec: { ...restrictedPod, affinity: apart(set.selector, "preferred"), ...pod(context) } },
      },
    },
    child(set),
  );
}

function pod({ args: { image }, proxy: set }: ClusterContext): types.input.core.v1.PodSpec {
  const mounts = [filesMount(set), certificateMount(set, certificateNames.health, "tls.crt.key")];
  const probe: types.input.core.v1.Probe = { httpGet: { path: livePath, port: "metrics", scheme: "HTTP" }, periodSeconds: 5, timeoutSeconds: 3 };
  return {
    serviceAccountName: set.base,
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        ...restrictedContainer,
        name: "haproxy",
        image,
        imagePullPolicy: pullPolicyOf(image),
        // In the foreground, as one process; it drains on SIGUSR1 and ends at once on SIGTERM.
        command: ["haproxy", "-db", "-f", `${filesFolder}/${haproxyFile}`],
        ports: Object.entries(ports.postgresProxy).map(([name, containerPort]) => ({ name, containerPort })),
        volumeMounts: mounts.map(({ mount }) => mount),
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
        livenessProbe: { ...probe, failureThreshold: 3 },
        // Until its first checks are back it holds every member for the leader.
        readinessProbe: { ...probe, initialDelaySeconds: 2 * settledAfter },
      },
    ],
    volumes: mounts.map(({ volume }) => volume),
  };
}

function ingress(context: ClusterContext, { annotations = { "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS" }, className, host }: { readonly host: string; readonly className: string; readonly annotations?: Readonly<Record<string, string>> }): void {
  const { proxy: set } = context;
  const { name, port } = proxyServices(context).health;
  const backend = { service: { name, port: { number: port } } };
  new k8s.networking.v1.Ingress(
    `${set.prefix}-ingress`,
    {
      metadata: { name, namespace: set.place.namespace, labels: set.labels, annotations: { ...annotations, ...skipAwait } },
      spec: { ingressClassName: className, rules: [{ host, http: { paths: [{ path: healthPath, pathType: "Exact", backend }] } }] },
    },
    child(set),
  );
}
