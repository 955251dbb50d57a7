import { BackupAlerts } from "../../components/monitoring/backup-alerts.ts";
import { BackupDashboard } from "../../components/monitoring/backup-dashboard.ts";
import { BackupExporter } from "../../components/monitoring/backup-exporter.ts";
import { DeadMansSwitch } from "../../components/monitoring/dead-mans-switch.ts";
import type { ServingConfig } from "../configuration/schema.ts";
import { objectStores } from "./endpoints.ts";
import type { RegionIdentities } from "./identities.ts";
import type { OpenRegion } from "./region.ts";
import { serversOf } from "./servers.ts";
import type { RegionStores } from "./stores.ts";

/** In each region that serves or stands by: alerts in the primary alone would die with it. */
export function declareMonitoring(region: OpenRegion<ServingConfig>, { roleArns }: RegionIdentities, stores: RegionStores): void {
  const { plan, config, common, options } = region;
  const { runbookUrl, labels, prometheusNamespace, deadMansSwitch } = config.monitoring;
  const here = { plan, region: region.name, topology: common.topology };
  new BackupExporter(
    "exporter",
    { ...here, image: config.images.runner, servers: serversOf(region, stores), objectStores: objectStores(plan, config), prometheusNamespace, monitorLabels: labels, ...(roleArns?.exporter === undefined ? {} : { roleArn: roleArns.exporter }) },
    options,
  );
  new BackupAlerts("alerts", { ...here, runbookUrl, ruleLabels: labels }, options);
  new BackupDashboard("dashboard", here, options);
  new DeadMansSwitch("dead-mans-switch", { ...here, webhook: deadMansSwitch, configLabels: labels }, options);
}
