export interface EksEndpoint {
  readonly cluster: string;
  readonly region: string;
  readonly endpoint: string;
  /** Base64, as EKS gives it. */
  readonly authority: string;
}

/** A kubeconfig with no secret in it: each use asks for a token with the credentials that are then at hand. Needs the
 * command `aws` where `pulumi` runs. JSON is YAML, and has one way of being written: no change where nothing changed. */
export const eksKubeconfig = ({ cluster, region, endpoint, authority }: EksEndpoint): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: cluster, cluster: { server: endpoint, "certificate-authority-data": authority } }],
    contexts: [{ name: cluster, context: { cluster, user: cluster } }],
    "current-context": cluster,
    users: [
      {
        name: cluster,
        user: { exec: { apiVersion: "client.authentication.k8s.io/v1beta1", command: "aws", args: ["eks", "get-token", "--cluster-name", cluster, "--region", region], interactiveMode: "Never" } },
      },
    ],
  });
