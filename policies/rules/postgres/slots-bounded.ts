import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { bytesOf, configMapType, fileSelectors, patroniFiles } from "./files.ts";

export const postgresSlotsBounded: ResourceRule = {
  kind: "resource",
  id: "postgres-slots-bounded",
  severity: "high",
  enforcement: "mandatory",
  protects: "A standby that never comes back holds all WAL back until the leader's disk is full and the database stops.",
  fix: "Set max_slot_wal_keep_size to what plan.postgres.slotWalLimit says, or less.",
  types: [configMapType],
  breaks: { "data.patroni-pg-*.yml": "[", "data.patroni-pg-*.yml.postgresql.parameters.max_slot_wal_keep_size": "-1" },
  selects: fileSelectors,
  judge(resource, verdict) {
    const limit = verdict.plan.postgres.slotWalLimit;
    for (const file of patroniFiles(resource, verdict)) {
      verdict.property(file, "postgresql.parameters.max_slot_wal_keep_size", (value) => {
        const bound = bytesOf(value);
        if (bound === undefined || bound < 0) return `${shown(value)}: slots hold back WAL without a bound`;
        return bound <= limit ? undefined : `${shown(value)}, more than the plan's ${limit} bytes`;
      });
    }
  },
};
