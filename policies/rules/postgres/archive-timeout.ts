import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { configMapType, fileSelectors, isRestored, patroniFiles, secondsOf } from "./files.ts";

export const postgresArchiveTimeout: ResourceRule = {
  kind: "resource",
  id: "postgres-archive-timeout",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A segment is archived when it is full or this old: on a quiet night an hour of commits can be in none, and be lost with the region.",
  fix: "Set archive_timeout to what plan.postgres.archiveTimeout says; with the push it must stay within the RPO.",
  types: [configMapType],
  breaks: { "data.patroni-pg-*.yml": "[", "data.patroni-pg-*.yml.postgresql.parameters.archive_timeout": "0" },
  selects: fileSelectors,
  judge(resource, verdict) {
    const { postgres, system } = verdict.plan;
    for (const file of patroniFiles(resource, verdict)) {
      if (isRestored(resource)) continue;
      verdict.property(file, "postgresql.parameters.archive_timeout", (value) => {
        const timeout = secondsOf(value);
        if (timeout === undefined || timeout <= 0) return `${shown(value)}: a segment waits until it is full`;
        return timeout + postgres.pushBoundDegraded <= system.rpo ? undefined : `${shown(value)}: with ${postgres.pushBoundDegraded} s for the push that is more than the RPO of ${system.rpo} s`;
      });
    }
  },
};
