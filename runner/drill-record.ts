import { z } from "zod";
import { tiers } from "../plan/types.ts";
import { expiryOf } from "./backup-record.ts";
import { recordVersion, type BackupRecord } from "./catalog/record.ts";
import type { RunContext } from "./context.ts";
import { systemStore } from "./recovery-point/record.ts";

/** The kind of a record that says what a drill measured. It holds no copy, so nothing restores it. */
export const drillKind = "drill";

const figure = z.object({ objective: z.number(), predicted: z.number(), /** `null` where the drill could not measure it. */ measured: z.number().nullable() });

const drillSchema = z.object({
  /** The drill's own name, e.g. `dr-drill-20261122`. */
  name: z.string(),
  scenario: z.string(),
  tier: z.enum(tiers),
  passed: z.boolean(),
  /** The plan's intervals were divided by this: so were the RPOs that it promised. */
  intervals: z.number().positive(),
  agents: z.number(),
  rtoSeconds: z.number(),
  objectives: z.array(z.object({ store: z.string(), scope: z.string(), rpo: figure, rto: figure })),
  error: z.string().nullable(),
});
export type RecordedDrill = z.infer<typeof drillSchema>;

/** What a record of a drill says; `undefined` for any other record, and for one that says it in no known form. */
export function drillIn(record: BackupRecord): RecordedDrill | undefined {
  return record.store === systemStore && record.kind === drillKind ? drillSchema.safeParse(record.details).data : undefined;
}

/** Keeps one run of a drill in the catalog, from where the exporter takes what was measured, and when it passed. */
export async function recordDrill(context: RunContext, drill: RecordedDrill, times: { readonly startedAt: Date; readonly finishedAt: Date }): Promise<BackupRecord> {
  const startedAt = times.startedAt.toISOString();
  const record: BackupRecord = {
    version: recordVersion, id: context.catalog.newId(systemStore, drillKind), store: systemStore, kind: drillKind,
    startedAt, finishedAt: times.finishedAt.toISOString(), watermark: { time: startedAt },
    sourceBytes: 0, objects: [], encryption: "none", copies: [], tools: {},
    // As long as a verification's: both prove for a while that recovery works.
    expiresAt: expiryOf(context.plan, "verify", times.startedAt),
    details: z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(drillSchema.parse(drill)))),
  };
  await context.catalog.write(record);
  return record;
}
