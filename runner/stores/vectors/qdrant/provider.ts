import type { QdrantConfig } from "../config.ts";
import type { RunContext } from "../../../context.ts";
import type { VectorProvider } from "../provider.ts";
import { closeNodes, type QdrantAddress } from "./api.ts";
import { openCluster } from "./cluster.ts";
import { exportQdrant } from "./export.ts";
import { presentPoints, sampleReferences } from "./references.ts";

export const addressesOf = ({ nodes, caFile, apiKeyFile }: QdrantConfig): QdrantAddress[] => nodes.map((url) => ({ url, caFile, apiKeyFile }));

export async function openQdrant(context: RunContext, config: QdrantConfig): Promise<VectorProvider> {
  const cluster = await openCluster(addressesOf(config), context);
  return {
    kind: "qdrant",
    where: config.nodes.join(", "),
    async count() {
      let points = 0;
      for (const collection of await cluster.first.collections()) points += await cluster.first.count(collection);
      return points;
    },
    export: (run) => exportQdrant(run, config, cluster),
    sample: (references) => sampleReferences(cluster.first, references),
    present: (collection, ids) => presentPoints(cluster.first, collection, ids),
    close: () => closeNodes(cluster.nodes.map(({ node }) => node)),
  };
}
