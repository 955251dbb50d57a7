import { z } from "zod";

/** What the live workload is told, in a JSON file. Passwords stand in files of their own. */
const place = z.object({ name: z.string(), port: z.int() });

export const writerConfigSchema = z.object({
  agents: z.int().min(1),
  seed: z.int(),
  /** Where acknowledgements are recorded; outside every region. */
  ledgerFile: z.string(),
  pace: z.object({
    /** From one transaction's begin to the next one's. */
    tickMilliseconds: z.number().min(1),
    agentsPerTick: z.int().min(1),
    /** From one sample of the replication lag to the next. */
    lagSampleMilliseconds: z.number().min(1),
  }),
  postgres: z.object({
    database: z.string(),
    user: z.string(),
    passwordFile: z.string(),
    /** Every member, all on 127.0.0.1, with the port of Patroni's health paths. */
    members: z.array(place.extend({ restPort: z.int() })).min(1),
    /** The asynchronous replica, by its name among the members; absent: the lag is not sampled. */
    lagMember: z.string().optional(),
  }),
  redis: z.object({
    user: z.string(),
    passwordFile: z.string(),
    /** On 127.0.0.1; the first that answers says where the primary is. */
    sentinelPorts: z.array(z.int()).min(1),
    masterName: z.string(),
  }),
});

export type WriterConfig = z.infer<typeof writerConfigSchema>;
export type WriterPace = WriterConfig["pace"];
