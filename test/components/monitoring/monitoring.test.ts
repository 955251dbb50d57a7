import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ArgumentError } from "../../../components/component.ts";
import { BackupAlerts } from "../../../components/monitoring/backup-alerts.ts";
import { BackupDashboard } from "../../../components/monitoring/backup-dashboard.ts";
import { BackupExporter, type BackupExporterArgs } from "../../../components/monitoring/backup-exporter.ts";
import { DeadMansSwitch } from "../../../components/monitoring/dead-mans-switch.ts";
import { watchdog } from "../../../plan/config/prometheus-rules.ts";
import { exporterJob, exporterPort } from "../../../plan/metrics.ts";
import { declare, type Declaration } from "../../harness/pulumi.ts";
import { here, image, objectStores, servers, topology } from "../jobs/fixture.ts";

const namespace = "blackroad-dr";
const runbookUrl = "https://runbook.example/disaster-recovery.md";
const webhook = { secret: "dr-dead-mans-switch", key: "url" } as const;
const rule = "kubernetes:monitoring.coreos.com/v1:PrometheusRule";

/** What a constructor refuses, and that nothing was declared by then. */
async function refusal(construct: () => unknown): Promise<string> {
  const { outputs, all } = await declare(() => {
    try {
      return construct();
    } catch (error) {
      return error;
    }
  });
  expect(outputs).toBeInstanceOf(ArgumentError);
  expect(all).toEqual([]);
  return String(outputs);
}

describe("BackupAlerts", () => {
  it("declares the plan's rules in the region, with labels that Prometheus selects and Alertmanager matches by", async () => {
    const declared = await declare(() => new BackupAlerts("alerts", { ...here, runbookUrl, ruleLabels: { release: "prometheus" } }));
    const { inputs, parent } = declared.one(rule);
    expect(parent).toBe(declared.one("blackroad:monitoring:BackupAlerts").urn);
    const { metadata, spec } = z.object({ metadata: z.record(z.string(), z.unknown()), spec: z.object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), labels: z.record(z.string(), z.string()) })) })) }) }).parse(inputs);
    expect(metadata).toMatchObject({ name: "dr-backup-alerts", namespace, labels: { release: "prometheus" } });
    const rules = spec.groups.flatMap(({ rules: some }) => some);
    for (const { labels } of rules) expect(labels).toMatchObject({ namespace, region: "us-east-1" });
    const names = new Set(rules.map(({ alert }) => alert));
    expect([...names].sort()).toEqual([...here.plan.alerts.map(({ name }) => name), watchdog].sort());
    expect(declared.outputs.alerts).toEqual([...names]);
  });

  it("refuses an unknown region, a missing place and a runbook that alerts could not link to, all at once", async () => {
    const said = await refusal(() => new BackupAlerts("alerts", { ...here, region: "mars-1", topology: { ...topology, places: [] }, runbookUrl: "http://runbook/" }));
    expect(said).toMatch(/region: mars-1 is no region(?:.|\n)*us-east-1 has no place(?:.|\n)*runbookUrl: "http:\/\/runbook\/" is no https address/);
    await expect(refusal(() => new BackupAlerts("alerts", { ...here, runbookUrl: `${runbookUrl}#section` }))).resolves.toContain("fragment");
  });
});

describe("BackupExporter", () => {
  const args: BackupExporterArgs = { ...here, image, servers, objectStores };
  let declared: Declaration<BackupExporter>;
  beforeAll(async () => void (declared = await declare(() => new BackupExporter("exporter", { ...args, roleArn: "arn:aws:iam::111122223333:role/exporter", monitorLabels: { release: "prometheus" } }))));

  it("runs one restricted pod of `dr exporter` that can only read", () => {
    const { inputs } = declared.one("kubernetes:apps/v1:Deployment");
    expect(inputs).toMatchObject({
      metadata: { name: exporterJob, namespace },
      spec: {
        replicas: 1,
        strategy: { type: "Recreate" },
        template: {
          spec: {
            serviceAccountName: "dr-exporter",
            automountServiceAccountToken: false,
            securityContext: { runAsNonRoot: true },
            containers: [{
              image,
              command: ["dr", "--config", "/etc/dr/dr.json", "exporter", "--address", "0.0.0.0", "--port", String(exporterPort)],
              securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
              readinessProbe: { httpGet: { path: "/healthz" } },
              livenessProbe: { httpGet: { path: "/healthz" } },
            }],
          },
        },
      },
    });
    expect(JSON.stringify(inputs)).toContain("secret-r2-reader");
    expect(JSON.stringify(inputs)).not.toMatch(/secret-(r2-writer|runner|postgres-backup)"/);
    const { data } = z.object({ data: z.object({ "dr.json": z.string() }) }).parse(declared.one("kubernetes:core/v1:ConfigMap").inputs);
    expect(JSON.parse(data["dr.json"])).toMatchObject({ readOnly: true });
  });

  it("starts anew when its configuration changes", async () => {
    const printOf = (declaration: Declaration<BackupExporter>): unknown => z.object({ spec: z.object({ template: z.object({ metadata: z.object({ annotations: z.object({ "blackroad.dr/config": z.string() }) }) }) }) }).parse(declaration.one("kubernetes:apps/v1:Deployment").inputs).spec.template.metadata.annotations;
    const other = await declare(() => new BackupExporter("exporter", { ...args, objectStores: { ...objectStores, s3: { endpoint: "s3.example" } } }));
    expect(printOf(other)).not.toEqual(printOf(declared));
  });

  it("is found by Prometheus under the job that the alerts name, and by nobody else", () => {
    expect(declared.one("kubernetes:core/v1:Service").inputs).toMatchObject({ metadata: { name: exporterJob }, spec: { ports: [{ name: "metrics", port: exporterPort }] } });
    expect(declared.one("kubernetes:monitoring.coreos.com/v1:ServiceMonitor").inputs).toMatchObject({ metadata: { labels: { release: "prometheus" } }, spec: { namespaceSelector: { matchNames: [namespace] }, endpoints: [{ port: "metrics" }] } });
    expect(declared.one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs).toMatchObject({ spec: { ingress: [{ from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }], ports: [{ port: exporterPort }] }] } });
  });

  it("has an account of its own with its role, and says where it is", () => {
    expect(declared.one("kubernetes:core/v1:ServiceAccount").inputs).toMatchObject({ metadata: { name: "dr-exporter", annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/exporter" } } });
    expect(declared.one("blackroad:monitoring:BackupExporter").outputs).toMatchObject({ region: "us-east-1", namespace, job: exporterJob, port: exporterPort });
  });

  it("refuses what cannot be right, all at once", async () => {
    const said = await refusal(() => new BackupExporter("exporter", { ...args, region: "eu-west-1", image: "dr:latest", objectStores: { r2: { endpoint: "https://r2" } }, servers: { ...servers, redis: [] } }));
    expect(said).toMatch(/the witness(?:.|\n)*names no digest(?:.|\n)*no server of Redis(?:.|\n)*s3 is missing(?:.|\n)*objectStores\.r2\.endpoint/);
  });
});

describe("BackupDashboard", () => {
  it("puts the dashboard where Grafana's sidecar looks", async () => {
    const declared = await declare(() => new BackupDashboard("dashboard", here));
    const { inputs } = declared.one("kubernetes:core/v1:ConfigMap");
    expect(inputs).toMatchObject({ metadata: { name: "dr-backup-dashboard", namespace, labels: { grafana_dashboard: "1" } } });
    const { data } = z.object({ data: z.object({ "blackroad-backups.json": z.string() }) }).parse(inputs);
    expect(JSON.parse(data["blackroad-backups.json"])).toMatchObject({ uid: "blackroad-backups" });
    expect(data["blackroad-backups.json"].length, "a config map holds at most 1 MiB").toBeLessThan(1024 ** 2);
  });

  it("refuses an unknown region", async () => {
    await expect(refusal(() => new BackupDashboard("dashboard", { ...here, region: "mars-1" }))).resolves.toContain("mars-1 is no region");
  });
});

describe("DeadMansSwitch", () => {
  it("sends the alert that always fires to the webhook, every minute, and never says that it has ended", async () => {
    const declared = await declare(() => new DeadMansSwitch("switch", { ...here, webhook, configLabels: { alertmanager: "main" } }));
    expect(declared.one("kubernetes:monitoring.coreos.com/v1alpha1:AlertmanagerConfig").inputs).toMatchObject({
      metadata: { name: "dr-dead-mans-switch", namespace, labels: { alertmanager: "main" } },
      spec: {
        route: { receiver: "dead-mans-switch", repeatInterval: "1m", groupWait: "0s", matchers: [{ name: "alertname", value: watchdog, matchType: "=" }, { name: "namespace", value: namespace }, { name: "region", value: "us-east-1" }] },
        receivers: [{ name: "dead-mans-switch", webhookConfigs: [{ urlSecret: { name: webhook.secret, key: webhook.key }, sendResolved: false }] }],
      },
    });
  });

  it("refuses an address where the name of a secret belongs", async () => {
    const said = await refusal(() => new DeadMansSwitch("switch", { ...here, webhook: { secret: "https://hooks.example/t0ken", key: "a b" } }));
    expect(said).toMatch(/no name of a Kubernetes secret(?:.|\n)*no key/);
    expect(said, "the address is a secret").not.toContain("t0ken");
  });
});
