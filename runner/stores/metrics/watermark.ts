import { z } from "zod";
import type { Watermark } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { metricsOf, openPrometheus } from "./connection.ts";

const status = z.object({ status: z.literal("success"), data: z.object({ headStats: z.object({ maxTime: z.number(), numSeries: z.number() }) }) });

export interface MetricsWatermark extends Watermark {
  /** In memory now. */
  readonly series: number;
}

/** How far the running Prometheus' data reaches: its newest sample. */
export async function metricsWatermark(context: RunContext): Promise<MetricsWatermark> {
  const server = await openPrometheus(metricsOf(context));
  try {
    const { data: { headStats } } = await server.json(status, { path: "/api/v1/status/tsdb", signal: context.signal });
    return { time: new Date(Math.max(0, headStats.maxTime)).toISOString(), series: headStats.numSeries };
  } finally {
    await server.close();
  }
}
