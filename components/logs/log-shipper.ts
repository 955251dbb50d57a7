import * as k8s from "@pulumi/kubernetes";
import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { logShipper, nodeLogFolder, queueSize, shipperEnvironment, shipperName, shippedPrefix } from "../../plan/config/log-shipper.ts";
import { regionOf } from "../../plan/find.ts";
import { writtenBackends } from "../../plan/identity-needs.ts";
import { shortLivedPrefixes } from "../../plan/layout.ts";
import type { Backend, BackendName, Plan } from "../../plan/types.ts";
import { mib, type Duration } from "../../plan/units.ts";
import { Component, dataOptions, refuse, type Lifetime } from "../component.ts";
import { filesDigest } from "../databases/servers/files.ts";
import { reachProblems, serverAt, type ObjectStore, type ObjectStores, type SecretKey } from "../jobs/reach.ts";
import { imageProblem, pullPolicyOf } from "../kubernetes/image.ts";
import { allowList, publicAddresses } from "../kubernetes/network.ts";
import { labelsOf, restrictedContainer, restrictedPod, scratch, selectorOf } from "../kubernetes/pod.ts";

export interface LogShipperArgs {
  readonly plan: Plan;
  /** By the plan's name. Declare one in each region whose containers' logs are kept. */
  readonly region: string;
  /** Made for it alone, e.g. `blackroad-dr-logs`: pods that see a folder of their node are refused by the standard that
   * the stores' namespace is held to. */
  readonly namespace: string;
  /** With `otelcol-dr`; `REGISTRY/NAME@sha256:DIGEST`. */
  readonly image: string;
  /** Of every backend that jobs write to (kinds `r2` and `s3`). Lines are stored in each: about 0.02 USD a GiB and month. */
  readonly objectStores: ObjectStores;
  /** By backend: a key of a Kubernetes secret in that namespace, which people make, in AWS's shared credentials format.
   * In S3 of an account that writes below `logs/lines/` and can do nothing else; R2's tokens know no prefixes. Until it is
   * there the pods wait. */
  readonly credentials: Readonly<Partial<Record<BackendName, SecretKey>>>;
  /** IAM role of the service account `log-shipper`, for S3 without credentials in a file (EKS's web identity). */
  readonly roleArn?: pulumi.Input<string>;
  /** `kept`: the namespace is protected, as what people put in it goes with it. */
  readonly lifetime: Lifetime;
  /** How long lines may wait for more. Default: a tenth of the schedule that looks whether they arrive. */
  readonly flushAfter?: Duration;
}

const labels = labelsOf(shipperName, "node");
const selector = selectorOf(shipperName, "node");
const configFolder = "/etc/log-shipper";
const stateFolder = "/var/lib/log-shipper";
const credentialsFolder = "/run/secrets/log-shipper";
const authorityFolder = "/etc/log-shipper-authority";
/** What the collector may hold: two batches on their way, and what it reads meanwhile. */
const memory = { requested: 128, most: 512, goal: 400 } as const; // MiB

/**
 * What the containers of every node say, shipped to every backend (plan/config/log-shipper.ts): a DaemonSet with a collector
 * for each backend. It sees one folder of its node, to read, as a member of root's group and not as root. What it has read
 * and not shipped yet goes with its pod: a new one begins the node's files anew, so lines may arrive twice.
 */
export class LogShipper extends Component {
  constructor(name: string, args: LogShipperArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`LogShipper ${name}`, problemsOf(args));
    super("logs", "LogShipper", name, { region: args.region, namespace: args.namespace, image: args.image }, options);
    const files = Object.fromEntries(backendsOf(args).map((backend) => [fileOf(backend), configurationOf(args, backend)]));
    const space = this.space(name, args);
    const inside = { parent: this, dependsOn: [space] };
    const { namespace } = args;

    new k8s.core.v1.ServiceAccount(`${name}-account`, { metadata: { name: shipperName, namespace, labels, ...(args.roleArn === undefined ? {} : { annotations: { "eks.amazonaws.com/role-arn": args.roleArn } }) }, automountServiceAccountToken: false }, inside);
    new k8s.core.v1.ConfigMap(`${name}-files`, { metadata: { name: shipperName, namespace, labels }, data: files }, inside);
    new k8s.networking.v1.NetworkPolicy(`${name}-default-deny`, { metadata: { name: "default-deny", namespace, labels }, spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } }, inside);
    const egress = Object.values(args.objectStores).map(({ endpoint, peer = publicAddresses }) => ({ to: [peer], ports: [serverAt(endpoint).port] }));
    allowList(`${name}-network`, { namespace, selector, labels, ingress: [], egress }, inside);
    new k8s.apps.v1.DaemonSet(
      `${name}-nodes`,
      {
        // Its pods wait for a secret that people make once the namespace is there.
        metadata: { name: shipperName, namespace, labels, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: { selector: { matchLabels: selector }, template: { metadata: { labels, annotations: filesDigest(files) }, spec: podOf(args) } },
      },
      inside,
    );
    this.registerOutputs({ region: args.region, namespace, backends: backendsOf(args).map((backend) => backend.name) });
  }

  private space(name: string, { lifetime, namespace }: LogShipperArgs): k8s.core.v1.Namespace {
    // Of the three standards the two stricter ones refuse every folder of a node. What else a pod might ask for, the
    // policies refuse before an `up`.
    return new k8s.core.v1.Namespace(`${name}-namespace`, { metadata: { name: namespace, labels: { ...labels, "pod-security.kubernetes.io/enforce": "privileged" } } }, dataOptions(this, lifetime));
  }
}

const backendsOf = ({ plan }: LogShipperArgs): readonly Backend[] => writtenBackends(plan);
const fileOf = ({ name }: Backend): string => `${name}.yaml`;
/** Short-lived prefixes have a bucket of their own where a lock is the whole bucket's. */
const bucketOf = (plan: Plan, backend: Backend): string =>
  backend.shortLived !== undefined && shortLivedPrefixes(plan, backend).some((prefix) => shippedPrefix.startsWith(prefix)) ? backend.shortLived.bucket : backend.bucket;

const storeOf = ({ objectStores }: LogShipperArgs, { name }: Backend): ObjectStore => {
  const store = objectStores[name];
  if (store === undefined) throw new RangeError(`no object store is named ${name}`);
  return store;
};

const configurationOf = (args: LogShipperArgs, backend: Backend): string =>
  logShipper({
    plan: args.plan,
    node: "${env:NODE_NAME}",
    stateFolder,
    store: { endpoint: storeOf(args, backend).endpoint, region: backend.region, bucket: bucketOf(args.plan, backend) },
    ...(args.flushAfter === undefined ? {} : { flushAfter: args.flushAfter }),
  });

function podOf(args: LogShipperArgs): types.input.core.v1.PodSpec {
  const parts = backendsOf(args).map((backend) => collectorOf(args, backend));
  return {
    ...restrictedPod,
    // The kubelet's files are root's, and readable by its group.
    securityContext: { ...restrictedPod.securityContext, supplementalGroups: [0] },
    serviceAccountName: shipperName,
    // Every node, whatever else it keeps away.
    tolerations: [{ operator: "Exists" }],
    containers: parts.map(({ container }) => container),
    volumes: [
      { name: "logs", hostPath: { path: nodeLogFolder, type: "Directory" } },
      { name: "config", configMap: { name: shipperName } },
      ...parts.flatMap(({ volumes }) => volumes),
    ],
  };
}

/** One backend's, whose credentials are its own and whose absence holds up no other. */
function collectorOf(args: LogShipperArgs, backend: Backend): { readonly container: types.input.core.v1.Container; readonly volumes: readonly types.input.core.v1.Volume[] } {
  const { image } = args;
  const { authority } = storeOf(args, backend);
  const credentials = args.credentials[backend.name];
  const state = scratch(`state-${backend.name}`, stateFolder, `${Math.ceil((queueSize * 1.5) / mib(1))}Mi`);
  const files = [
    ...(credentials === undefined ? [] : [oneFile(`credentials-${backend.name}`, credentials, credentialsFolder, "credentials")]),
    ...(authority === undefined ? [] : [oneFile(`authority-${backend.name}`, { secret: authority, key: "ca.crt" }, authorityFolder, "ca.crt")]),
  ];
  const environment = shipperEnvironment({
    ...(credentials === undefined ? {} : { credentialsFile: `${credentialsFolder}/credentials` }),
    ...(authority === undefined ? {} : { caFile: `${authorityFolder}/ca.crt` }),
  });
  const container: types.input.core.v1.Container = {
    ...restrictedContainer,
    name: backend.name,
    image,
    imagePullPolicy: pullPolicyOf(image),
    command: ["otelcol-dr", "--config", `${configFolder}/${fileOf(backend)}`],
    env: [
      { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      { name: "GOMEMLIMIT", value: `${memory.goal}MiB` },
      ...Object.entries(environment).map(([variable, value]) => ({ name: variable, value })),
    ],
    resources: { requests: { cpu: "20m", memory: `${memory.requested}Mi` }, limits: { cpu: "500m", memory: `${memory.most}Mi` } },
    volumeMounts: [
      { name: "logs", mountPath: nodeLogFolder, readOnly: true },
      { name: "config", mountPath: configFolder, readOnly: true },
      state.mount,
      ...files.map(({ mount }) => mount),
    ],
  };
  return { container, volumes: [state.volume, ...files.map(({ volume }) => volume)] };
}

const oneFile = (name: string, { secret, key }: SecretKey, folder: string, path: string) => ({
  volume: { name, secret: { secretName: secret, defaultMode: 0o440, items: [{ key, path }] } },
  mount: { name, mountPath: folder, readOnly: true },
});

function problemsOf({ plan, region, namespace, image, objectStores, credentials, roleArn }: LogShipperArgs): readonly (string | undefined | false)[] {
  const backends = writtenBackends(plan);
  return [
    regionOf(plan, region) === undefined && `region: ${region} is no region of the plan`,
    !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace) && `namespace: ${JSON.stringify(namespace)} must be lower-case letters, digits and hyphens, at most 63`,
    imageProblem(image),
    ...reachProblems({}, objectStores, backends.map(({ name }) => name)),
    ...backends.map(({ name, kind }) => credentials[name] === undefined && (kind !== "s3" || roleArn === undefined) && `credentials.${name}: is missing${kind === "s3" ? ", and no roleArn stands in its place" : ""}`),
  ];
}
