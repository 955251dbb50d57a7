import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, dataOptions, refuse, type Lifetime } from "../component.ts";
import { labelsOf } from "../kubernetes/pod.ts";

export interface DrNamespaceArgs {
  /** Its name in the cluster, e.g. `blackroad-dr`. */
  readonly namespace: string;
  /** `kept`: protected, as deleting a namespace deletes every claim on a volume in it. */
  readonly lifetime: Lifetime;
  /** The most that everything in it may ask for together, by Kubernetes' names, e.g. `{ "requests.cpu": "8" }`.
   * Default: no limit. */
  readonly quota?: Readonly<Record<string, string>>;
  /** Added to ours; those of the pod security standard are not to be changed. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const standard = "pod-security.kubernetes.io/";
/** The *restricted* standard: a pod that asks for more is refused, not only complained of. `latest` follows the
 * cluster's version, so that an upgrade tightens it instead of leaving it behind. */
const restricted = Object.fromEntries(["enforce", "audit", "warn"].flatMap((mode) => [[`${standard}${mode}`, "restricted"], [`${standard}${mode}-version`, "latest"]])) as Readonly<Record<string, string>>;

/** A namespace in which only restricted pods run and nothing talks unless a policy lets it. */
export class DrNamespace extends Component {
  /** Its name, known only once it is there: what is declared with it waits for it. */
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: DrNamespaceArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`DrNamespace ${name}`, problems(args));
    super("foundation", "DrNamespace", name, args, options);
    this.namespace = this.space(name, args);
    this.denial(name, args);
    if (args.quota !== undefined) this.quota(name, args, args.quota);
    this.registerOutputs({ namespace: args.namespace, podSecurity: "restricted", lifetime: args.lifetime });
  }

  private space(name: string, args: DrNamespaceArgs): pulumi.Output<string> {
    const metadata = { name: args.namespace, labels: { ...labelsOf(args.namespace, "namespace", args.labels), ...restricted }, ...(args.annotations === undefined ? {} : { annotations: args.annotations }) };
    return new k8s.core.v1.Namespace(`${name}-namespace`, { metadata }, dataOptions(this, args.lifetime)).metadata.name;
  }

  /** What a workload needs, its own policy allows; a pod without one reaches nobody, not even DNS. */
  private denial(name: string, { namespace }: DrNamespaceArgs): void {
    new k8s.networking.v1.NetworkPolicy(
      `${name}-default-deny`,
      { metadata: { name: "default-deny", namespace: this.namespace, labels: labelsOf(namespace, "namespace") }, spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } },
      { parent: this },
    );
  }

  private quota(name: string, { namespace }: DrNamespaceArgs, hard: Readonly<Record<string, string>>): void {
    new k8s.core.v1.ResourceQuota(`${name}-quota`, { metadata: { name: "quota", namespace: this.namespace, labels: labelsOf(namespace, "namespace") }, spec: { hard } }, { parent: this });
  }
}

/** RFC 1123: what Kubernetes takes as a namespace's name. */
const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const system = ["default", "kube-system", "kube-public", "kube-node-lease"];

function problems({ namespace, labels = {}, quota }: DrNamespaceArgs): readonly (string | false)[] {
  return [
    !label.test(namespace) && `namespace: ${JSON.stringify(namespace)} must be lower-case letters, digits and hyphens, at most 63`,
    system.includes(namespace) && `namespace: ${namespace} is Kubernetes' own`,
    ...Object.keys(labels).map((key) => key.startsWith(standard) && `labels: ${key} is the pod security standard's, which stays restricted`),
    quota !== undefined && Object.keys(quota).length === 0 && "quota: it limits nothing; leave it out or name a resource",
  ];
}
