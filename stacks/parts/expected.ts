import type { Exposure } from "../../components/topology.ts";
import { requireExpected } from "../../components/foundation/expected.ts";
import { clusterApiOf } from "../../components/foundation/cluster-api.ts";
import type { ArchiveConfig } from "../configuration/schema.ts";

/**
 * Asks an existing cluster for what must be there before anything is declared in it. One that the stack itself makes
 * cannot be asked yet: its README lists what is to be installed between the two `up`s.
 */
export async function requireExpectedIn(cluster: ArchiveConfig["cluster"], exposure: Exposure): Promise<void> {
  if (cluster.kind !== "existing") return;
  const api = clusterApiOf(cluster.context, cluster.kubeconfig);
  await requireExpected({ api, cluster: cluster.context, exposure });
}
