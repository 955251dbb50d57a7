import type { RunContext } from "../../../context.ts";
import type { PineconeConfig } from "../config.ts";
import type { VectorProvider } from "../provider.ts";
import { Pinecone } from "./api.ts";
import { exportPinecone } from "./export.ts";
import { presentVectors, sampleReferences } from "./references.ts";

export async function openPinecone(context: RunContext, config: PineconeConfig): Promise<VectorProvider> {
  const pinecone = await Pinecone.open(config, context.signal);
  return {
    kind: "pinecone",
    where: `${config.index} (${config.host})`,
    count: async () => [...(await pinecone.stats()).values()].reduce((sum, vectors) => sum + vectors, 0),
    export: (run) => exportPinecone(run, config, pinecone),
    sample: (references) => sampleReferences(pinecone, references),
    present: (namespace, ids) => presentVectors(pinecone, namespace, ids),
    close: () => pinecone.close(),
  };
}
