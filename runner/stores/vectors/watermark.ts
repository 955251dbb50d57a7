import type { Watermark } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { openProvider } from "./provider.ts";

export interface VectorsWatermark extends Watermark {
  readonly provider: "qdrant" | "pinecone";
  readonly points: number;
}

/** How far the data of the running store reaches: what it answers now is what was acknowledged before. */
export async function vectorsWatermark(context: RunContext): Promise<VectorsWatermark> {
  const provider = await openProvider(context);
  try {
    const time = context.clock.now().toISOString();
    return { time, provider: provider.kind, points: await provider.count() };
  } finally {
    await provider.close();
  }
}
