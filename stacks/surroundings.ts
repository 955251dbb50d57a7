import type { ClusterApi } from "../components/foundation/expected.ts";
import { clusterApiOf } from "../components/foundation/cluster-api.ts";

/** What a program asks besides the engine. */
export interface Surroundings {
  /** The API server of a context of a kubeconfig. */
  clusterApi(context: string, kubeconfig: string | undefined): ClusterApi;
}

export const real: Surroundings = { clusterApi: clusterApiOf };
