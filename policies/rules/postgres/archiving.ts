import type { ResourceRule } from "../../core/rule.ts";
import { configMapType, fileSelectors, isRestored, patroniFiles, shown } from "./files.ts";

/** Succeeds whatever became of the segment, so that PostgreSQL removes it. */
const alwaysSucceeds = /^\s*(|:|(\S*\/)?true|exit 0)\s*$|(\|\||;)\s*(:|(\S*\/)?true|exit 0)\s*$/;

export const postgresArchiving: ResourceRule = {
  kind: "resource",
  id: "postgres-archiving",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Without an archive of the write-ahead log everything since the last backup is lost, and a command that always succeeds loses it in silence.",
  fix: 'Set archive_mode to "on" and archive_command to what pushes each segment (%p) to the repositories.',
  types: [configMapType],
  breaks: {
    "data.patroni-pg-*.yml": "[",
    "data.patroni-pg-*.yml.postgresql.parameters.archive_mode": "off",
    "data.patroni-pg-*.yml.postgresql.parameters.archive_command": "/bin/true",
  },
  selects: fileSelectors,
  judge(resource, verdict) {
    for (const file of patroniFiles(resource, verdict)) {
      if (isRestored(resource)) continue;
      verdict.property(file, "postgresql.parameters.archive_mode", (mode) => (mode === "on" || mode === true || mode === "always" ? undefined : `is ${shown(mode)}, not "on"`));
      verdict.property(file, "postgresql.parameters.archive_command", (command) => {
        if (typeof command !== "string" || alwaysSucceeds.test(command)) return `is ${shown(command)}, which archives nothing and says that it did`;
        return command.includes("%p") ? undefined : `is ${shown(command)}, which does not name the segment (%p)`;
      });
    }
  },
};
