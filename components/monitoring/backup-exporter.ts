import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { regionOf } from "../../plan/find.ts";
import { writtenBackends } from "../../plan/identity-needs.ts";
import { exporterJob, exporterPort } from "../../plan/metrics.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse } from "../component.ts";
import { configMap, configOf, identityLabels, identitySelector, networkPolicy, podOf, serviceAccount, type IdentityPlace } from "../jobs/identity-pod.ts";
import { reachProblems, type ObjectStores, type RegionServers } from "../jobs/reach.ts";
import { imageProblem } from "../kubernetes/image.ts";
import type { Topology } from "../topology.ts";
import { namespaceIn, placeProblems, prometheusApi } from "./place.ts";

export interface BackupExporterArgs {
  readonly plan: Plan;
  /** By the plan's name; declare an exporter in each region that has servers. */
  readonly region: string;
  readonly topology: Topology;
  /** With `dr` and every tool that it calls; `REGISTRY/NAME@sha256:DIGEST`. */
  readonly image: string;
  readonly servers: Pick<RegionServers, "postgres" | "redis">;
  /** Of every backend that jobs write to (kinds `r2` and `s3`); it only reads there. It lists them every minute, which
   * costs about 2 USD a month at each with 10,000 records (10 pages); what it has read once it does not read again. */
  readonly objectStores: ObjectStores;
  /** ARN of the exporter's IAM role in this region, for EKS's web identity; absent where the cluster is not EKS. */
  readonly roleArn?: pulumi.Input<string>;
  /** Where the region's Prometheus runs: nothing else may ask the exporter. Default: the namespace `monitoring`. */
  readonly prometheusNamespace?: string;
  /** What the region's Prometheus selects service monitors by. Default: none. */
  readonly monitorLabels?: Readonly<Record<string, string>>;
}

const identity = "exporter";
/** Seconds between two scrapes, and until one is given up: the exporter answers from what it has read. */
const scrape = { every: 30, timeout: 10 } as const;

/** `dr exporter`: every metric of plan/metrics.ts, from the catalog and the buckets. It reads, and can write nowhere. */
export class BackupExporter extends Component {
  /** What Prometheus calls it in `up{job="…"}`. */
  readonly job: string = exporterJob;

  constructor(name: string, args: BackupExporterArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`BackupExporter ${name}`, problemsOf(args));
    super("monitoring", "BackupExporter", name, { region: args.region, image: args.image }, options);
    const namespace = namespaceIn(args);
    const place: IdentityPlace = { ...args, servers: { postgres: args.servers.postgres, redis: args.servers.redis }, identity, namespace };
    const prometheus = { kind: "namespace", namespace: args.prometheusNamespace ?? "monitoring" } as const;

    const account = serviceAccount(`${name}-account`, place, args.roleArn, { parent: this });
    const config = configMap(`${name}-config`, place, { parent: this });
    networkPolicy(`${name}-network`, place, [{ to: [prometheus], ports: [exporterPort] }], { parent: this });
    this.declareDeployment(name, place, [account, config]);
    this.declareService(name, namespace);
    this.declareMonitor(name, namespace, args.monitorLabels);
    this.registerOutputs({ region: args.region, namespace, job: this.job, port: exporterPort, image: args.image });
  }

  private declareDeployment(name: string, place: IdentityPlace, needed: pulumi.Resource[]): void {
    const selector = identitySelector(identity);
    const probe = { httpGet: { path: "/healthz", port: "metrics" }, periodSeconds: 10, timeoutSeconds: 5 };
    const pod = podOf(place, {
      command: ["exporter", "--address", "0.0.0.0", "--port", String(exporterPort)],
      cpu: { requested: "100m", most: "1" },
      memory: { requested: "256Mi", most: "512Mi" },
      more: { ports: [{ name: "metrics", containerPort: exporterPort }], readinessProbe: probe, livenessProbe: { ...probe, failureThreshold: 6 }, startupProbe: { ...probe, failureThreshold: 30 } },
    });
    new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata: { name: exporterJob, namespace: place.namespace, labels: identityLabels(identity), annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          // One: two would count every backup twice, and a missing one is an alert of its own.
          replicas: 1,
          strategy: { type: "Recreate" },
          selector: { matchLabels: selector },
          // It reads its configuration when it starts: another one is another pod.
          template: { metadata: { labels: identityLabels(identity), annotations: { "blackroad.dr/config": fingerprint(configOf(place)) } }, spec: { ...pod, terminationGracePeriodSeconds: 10 } },
        },
      },
      { parent: this, dependsOn: needed },
    );
  }

  private declareService(name: string, namespace: string): void {
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: { name: exporterJob, namespace, labels: identityLabels(identity), annotations: { "pulumi.com/skipAwait": "true" } },
        spec: { type: "ClusterIP", selector: identitySelector(identity), ports: [{ name: "metrics", port: exporterPort, targetPort: "metrics" }] },
      },
      { parent: this },
    );
  }

  private declareMonitor(name: string, namespace: string, labels: Readonly<Record<string, string>> = {}): void {
    new k8s.apiextensions.CustomResource(
      `${name}-monitor`,
      {
        apiVersion: `${prometheusApi}/v1`,
        kind: "ServiceMonitor",
        metadata: { name: exporterJob, namespace, labels: { ...identityLabels(identity), ...labels } },
        spec: {
          selector: { matchLabels: identitySelector(identity) },
          namespaceSelector: { matchNames: [namespace] },
          endpoints: [{ port: "metrics", interval: `${scrape.every}s`, scrapeTimeout: `${scrape.timeout}s` }],
        },
      },
      { parent: this },
    );
  }
}

const fingerprint = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

function problemsOf(args: BackupExporterArgs): readonly (string | undefined | false)[] {
  const { plan, region, image, servers, objectStores } = args;
  return [
    ...placeProblems(args),
    regionOf(plan, region)?.role === "witness" && `region: ${region} is the witness and has no server to look at`,
    imageProblem(image),
    ...reachProblems(servers, objectStores, writtenBackends(plan).map(({ name }) => name)),
  ];
}
