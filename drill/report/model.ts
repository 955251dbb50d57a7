import { z } from "zod";
import { tiers } from "../../plan/types.ts";

/**
 * `report.json`: what a drill promised, predicted and measured. Durations are seconds, sizes bytes, times UTC in ISO
 * 8601. `null` is "not known", which is never the same as zero.
 */
export const phases = ["provision", "seed", "protect", "disaster", "detect", "recover", "validate", "destroy"] as const;
export type Phase = (typeof phases)[number];

const count = z.int().min(0);
const duration = z.number().min(0);
const time = z.iso.datetime({ offset: false });
const text = z.string();

/** A promise beside its prediction and its measurement. */
export const figureSchema = z.object({
  /** What the plan (scaled as the drill's was) promises. */
  objective: duration,
  /** What the assessment of that same plan computes: the worst case. */
  predicted: duration,
  /** `null` where this run could not measure it. */
  measured: duration.nullable(),
  /** Where the plan accepts by name that the objective is not kept: how much instead, and why. */
  accepted: z.object({ upTo: duration, reason: text }).optional(),
  /** What the prediction was made of, e.g. `WAL in s3: archive_timeout 6 s + push 2 s`. */
  basis: text.optional(),
});

export const objectiveSchema = z.object({ store: text, scope: text, rpo: figureSchema, rto: figureSchema });

export const stepSchema = z.object({
  name: text,
  seconds: duration,
  /** Since the run's start. */
  at: duration,
  phase: z.enum(phases),
  /** What it worked on, e.g. `30,000 agents`, `1.2 GiB`. */
  detail: text.optional(),
  /** Why it failed; absent where it did not. */
  error: text.optional(),
});

export const storeResultSchema = z.object({
  store: text,
  /** The disaster's time less that of the first acknowledged heartbeat that is missing; 0 where none is. */
  rpoSeconds: duration,
  /** From the kill until this store was validated. */
  rtoSeconds: duration,
  /** The recovered data's own watermark: a time, with its LSN where there is one. */
  recoveredTo: text,
  /** Heartbeats that were acknowledged, recorded outside the region, and are missing. */
  acknowledgedLost: count,
  /** The copy that it was recovered from. */
  recoveredFrom: text.optional(),
});

/** A fact that the drill established, with the value that it saw. */
export const evidenceSchema = z.object({ what: text, value: text, ok: z.boolean() });

export const runSchema = z.object({
  scenario: text,
  tier: z.enum(tiers),
  faults: z.array(text),
  passed: z.boolean(),
  /** Of the system: from the kill to the last store validated. */
  rtoSeconds: duration,
  stores: z.array(storeResultSchema),
  objectives: z.array(objectiveSchema),
  steps: z.array(stepSchema),
  agents: z.object({ expected: count, recovered: count }),

  startedAt: time,
  /** When the faults were played, since the run's start. */
  faultLog: z.array(z.object({ at: duration, what: text })),
  /** The moment that RPO and RTO are counted from, since the run's start; `null` where it was never reached. */
  disasterAt: duration.nullable(),
  /** Until the failure was known, and until somebody (or a lease) decided; both are inside `rtoSeconds`. */
  detectSeconds: duration.nullable(),
  decideSeconds: duration.nullable(),
  /** Where the predicted figures come from: the rates' source. */
  predictions: z.object({ source: text }),
  evidence: z.array(evidenceSchema),
  /** What the content's checks found wrong or worth saying; empty where all was as it should be. */
  integrity: z.array(z.object({ what: text, where: text })),
  /** `null` where no replica was sampled. */
  replicationLag: z
    .object({
      samples: count,
      maxSeconds: duration,
      p99Seconds: duration,
      /** The greatest lag while no fault was being played; `null` without such a sample. */
      outsideFaultMaxSeconds: duration.nullable(),
      /** What of the lag outside the fault was surely the replica's, and not a reader's that was held up; the promise is judged by it. */
      outsideFaultProvenSeconds: duration.nullable(),
    })
    .nullable(),
  /** Why the run failed; `null` where it did not. */
  error: text.nullable(),
});

export const reportSchema = z.object({
  passed: z.boolean(),
  /** `local`, `cluster`, or a person's name for another one. */
  environment: text,
  scale: z.object({
    /** The plan's intervals were divided by this. */
    intervals: z.number().positive(),
    agents: count,
    databaseBytes: count,
    /** How the plan was scaled down, in sentences. */
    explanation: text,
  }),
  /** Processes, directories and mounts that were found after the teardown. */
  leftovers: count,
  skipped: z.array(z.object({ what: text, why: text })),
  runs: z.array(runSchema),

  /** The drill's own name, e.g. `dr-drill-20261122`. */
  name: text,
  startedAt: time,
  finishedAt: time,
  /** Versions of what took part, by name. */
  tools: z.record(text, text),
  /** What remained, by name; as many as `leftovers`, where they could be named. */
  leftoverNames: z.array(text).default([]),
});

export type Figure = z.infer<typeof figureSchema>;
export type ObjectiveRow = z.infer<typeof objectiveSchema>;
export type Step = z.infer<typeof stepSchema>;
export type StoreResult = z.infer<typeof storeResultSchema>;
export type Evidence = z.infer<typeof evidenceSchema>;
export type DrillRun = z.infer<typeof runSchema>;
export type DrillReport = z.infer<typeof reportSchema>;
