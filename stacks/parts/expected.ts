import type { Exposure } from "../../components/topology.ts";
import { requireExpected } from "../../components/foundation/expected.ts";
import type { ArchiveConfig } from "../configuration/schema.ts";
import type { Surroundings } from "../surroundings.ts";

/**
 * Asks an existing cluster for what must be there before anything is declared in it. One that the stack itself makes
 * cannot be asked yet: README.md lists what is to be installed between the two `up`s.
 */
export async function requireExpectedIn(cluster: ArchiveConfig["cluster"], exposure: Exposure, surroundings: Surroundings): Promise<void> {
  if (cluster.kind !== "existing") return;
  await requireExpected({ api: surroundings.clusterApi(cluster.context, cluster.kubeconfig), cluster: cluster.context, exposure });
}
