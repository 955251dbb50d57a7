import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { defaultNamespace, kubernetesSecret, secretKey, secretPath } from "../../plan/names.ts";
import { secretsOf, type SecretSpec } from "../../plan/secrets.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse } from "../component.ts";
import { labelsOf } from "../kubernetes/pod.ts";

export interface RegionSecretsArgs {
  readonly plan: Plan;
  /** Whose replicas are read, by the plan's name: never another's, which may be gone. */
  readonly region: string;
  /** The names in the plan of the secrets that this region's servers and jobs mount. */
  readonly secrets: readonly string[];
  /** Where the Kubernetes secrets go. @default defaultNamespace(plan) */
  readonly namespace?: string;
  /** Of the region's cluster. */
  readonly provider: k8s.Provider;
}

/**
 * A region's copies of the plan's secrets, as Kubernetes secrets that pods mount as files. They are read from Secrets
 * Manager in the region itself by name, so they come up when every other region is gone. The values stand in the state,
 * encrypted.
 */
export class RegionSecrets extends Component {
  /** The Kubernetes secrets by the plan's names; what mounts them depends on them. */
  readonly secrets: ReadonlyMap<string, k8s.core.v1.Secret>;
  /** The values, secret, by the plan's names: for what hashes a password into a configuration. */
  readonly values: ReadonlyMap<string, pulumi.Output<string>>;

  constructor(name: string, args: RegionSecretsArgs, options?: pulumi.ComponentResourceOptions) {
    const { plan, region, namespace = defaultNamespace(args.plan), provider } = args;
    refuse(`RegionSecrets ${name}`, problemsOf(args, namespace));
    super("access", "RegionSecrets", name, { plan, region, secrets: args.secrets, namespace }, options);
    const wanted = secretsOf(plan).filter((spec) => args.secrets.includes(spec.name));
    const read = wanted.map((spec) => ({ ...spec, value: this.read(plan, region, spec.name) }));
    this.values = new Map(read.map((secret) => [secret.name, secret.value]));
    this.secrets = new Map(read.map((secret) => [secret.name, this.mountable(name, secret, namespace, provider)]));
    this.registerOutputs({ region, namespace, secrets: wanted.map(({ name: secret }) => kubernetesSecret(secret)) });
  }

  private read(plan: Plan, region: string, secret: string): pulumi.Output<string> {
    return pulumi.secret(aws.secretsmanager.getSecretVersionOutput({ secretId: secretPath(plan, secret), region }, { parent: this }).secretString);
  }

  private mountable(name: string, { name: secret, kind, opens, value }: SecretSpec & { readonly value: pulumi.Output<string> }, namespace: string, provider: k8s.Provider): k8s.core.v1.Secret {
    return new k8s.core.v1.Secret(
      `${name}-${secret}`,
      {
        metadata: { name: kubernetesSecret(secret), namespace, labels: labelsOf("backup-secrets", secret), annotations: { "blackroad/opens": opens } },
        type: "Opaque",
        // A token's successor must reach the pods that run: the kubelet refreshes the file of a secret that may change.
        immutable: kind !== "credentials",
        stringData: { [secretKey]: value },
      },
      // One that may not change is replaced, and its name is taken until the old one is gone.
      { parent: this, provider, deleteBeforeReplace: true },
    );
  }
}

const problemsOf = ({ plan, region, secrets }: RegionSecretsArgs, namespace: string): readonly (string | false)[] => {
  const known = secretsOf(plan).map(({ name }) => name);
  return [
    !plan.regions.some(({ name }) => name === region) && `region: ${region} is no region of the plan`,
    !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace) && `namespace: ${JSON.stringify(namespace)} is no name of a Kubernetes namespace`,
    ...secrets.filter((secret) => !known.includes(secret)).map((secret) => `secrets: the plan has no ${JSON.stringify(secret)}; it has ${known.join(", ")}`),
    ...secrets.filter((secret, index) => secrets.indexOf(secret) < index).map((secret) => `secrets: ${secret} is named twice`),
  ];
};
