import { metrics } from "../../../plan/metrics.ts";
import { stanza } from "../../../plan/names.ts";
import type { StackRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { bytesOf, configMapType, fileSelectors, pgbackrestFiles, sectionsOf } from "./files.ts";

const option = "archive-push-queue-max";
const binaryUnit = (text: string): string => text.replace(/i?[bB]?$/, "").replace(/(\d)$/, "$1B").replace(/[kKmMgGtT]$/, (unit) => `${unit === "k" || unit === "K" ? "k" : unit.toUpperCase()}B`);

export const pgbackrestQueueMax: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "pgbackrest-queue-max",
  severity: "critical",
  enforcement: "mandatory",
  protects: "With this option pgBackRest reports success to PostgreSQL and then drops WAL: the archive has a hole that no restore gets over, and the archiver's own figures look well.",
  fix: `Leave ${option} out, or let it hold more WAL than comes until the alert on the newest WAL in the bucket fires, and declare that alert.`,
  breaks: { [`data.pgbackrest.conf.${stanza}.${option}`]: "16MiB", [`data.pgbackrest.conf.global.${option}`]: "16MiB", [`data.pgbackrest.conf.global:archive-push.${option}`]: "16MiB" },
  selects: [...fileSelectors, "data.pgbackrest.conf", "spec.groups", "spec.groups[*].rules", "spec.groups[*].rules[*].expr"],
  judge(resources, verdict) {
    const { plan } = verdict;
    const alert = plan.alerts.find(({ kind }) => kind === "wal-age");
    const heldBack = alert?.kind === "wal-age" ? (plan.postgres.walPerDay / 86_400) * (alert.above + alert.for) : Infinity;
    for (const resource of resources.filter(({ facts }) => facts.type === configMapType)) {
      for (const file of pgbackrestFiles(resource, verdict)) {
        for (const section of ["global", ...sectionsOf(file)]) {
          verdict.property(file, [section, option], (value) => {
            if (value === undefined) return undefined;
            const size = typeof value === "string" ? bytesOf(binaryUnit(value)) : undefined;
            if (size === undefined || size < heldBack) return `${shown(value)}: WAL is dropped before an alert can fire; until then ${Math.ceil(heldBack)} bytes come`;
            return resources.some((one) => one.facts.stack === resource.facts.stack && watchesWal(one)) ? undefined : `${shown(value)}, and no alert looks at the WAL in the bucket`;
          });
        }
      }
    }
  },
};

/** Rules of Prometheus on the newest WAL as it stands in a bucket, which an archiver that lies cannot keep young. */
function watchesWal(resource: Parameters<StackRule["judge"]>[0][number]): boolean {
  if (resource.facts.type !== "kubernetes:monitoring.coreos.com/v1:PrometheusRule") return false;
  return (resource.list("spec.groups") ?? []).some((group) => (group.list("rules") ?? []).some((rule) => {
    const expression = rule.read("expr");
    return expression.state === "known" && String(expression.value).includes(metrics.walAge.name);
  }));
}
