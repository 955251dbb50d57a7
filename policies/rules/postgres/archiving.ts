import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { configMapType, fileSelectors, isRestored, patroniFiles } from "./files.ts";

/** What hands a segment to pgBackRest and does nothing else: what a shell adds can make it succeed without. */
const pushes = /^(\S*\/)?pgbackrest( --(config|stanza|log-level-\w+)=[\w/.-]+)+ archive-push "?%p"?$/;

export const postgresArchiving: ResourceRule = {
  kind: "resource",
  id: "postgres-archiving",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Without an archive of the write-ahead log everything since the last backup is lost, and a command that always succeeds loses it in silence.",
  fix: 'Set archive_mode to "on", archive_command to "pgbackrest --config=FILE --stanza=STANZA archive-push %p" and nothing around it, and leave archive_library out.',
  types: [configMapType],
  breaks: {
    "data.patroni-pg-*.yml": "[",
    "data.patroni-pg-*.yml.postgresql.parameters.archive_mode": "off",
    "data.patroni-pg-*.yml.postgresql.parameters.archive_library": "basic_archive",
    "data.patroni-pg-*.yml.postgresql.parameters.archive_command": "/bin/true",
  },
  selects: fileSelectors,
  judge(resource, verdict) {
    for (const file of patroniFiles(resource, verdict)) {
      if (isRestored(resource)) continue;
      verdict.property(file, "postgresql.parameters.archive_mode", (mode) => (mode === "on" || mode === true || mode === "always" ? undefined : `${shown(mode)}, not "on"`));
      verdict.property(file, "postgresql.parameters.archive_library", (library) => (library === undefined || library === "" ? undefined : `${shown(library)}, which takes the place of archive_command`));
      verdict.property(file, "postgresql.parameters.archive_command", (command) => {
        if (typeof command !== "string" || !command.includes("%p")) return `${shown(command)}, which does not name the segment (%p)`;
        return pushes.test(command.trim()) ? undefined : `${shown(command)}, which may say that it archived what it did not: it is more or less than pgBackRest's archive-push with its configuration and stanza`;
      });
    }
  },
};
