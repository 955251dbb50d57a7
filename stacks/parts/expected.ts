import { ArgumentError } from "../../components/component.ts";
import type { Exposure } from "../../components/topology.ts";
import { storageClassName } from "../../components/foundation/eks/storage-classes.ts";
import { requireExpected } from "../../components/foundation/expected.ts";
import type { ArchiveConfig } from "../configuration/schema.ts";
import type { Surroundings } from "../surroundings.ts";

/**
 * Asks an existing cluster for what must be there before anything is declared in it. One that the stack itself makes
 * cannot be asked yet: README.md lists what is to be installed between the two `up`s.
 */
export async function requireExpectedIn({ cluster, storage: { className } }: Pick<ArchiveConfig, "cluster" | "storage">, exposure: Exposure, surroundings: Surroundings): Promise<void> {
  if (cluster.kind === "existing") return requireExpected({ api: surroundings.clusterApi(cluster.context, cluster.kubeconfig), cluster: cluster.context, exposure, storageClasses: [className] });
  if (className !== storageClassName) throw new ArgumentError("the region's volumes", [`storage.className: ${JSON.stringify(className)} is no class of the cluster that is made here, and every database would wait for its volume; write ${storageClassName}`]);
}
