import { BackupSchedule } from "../../components/jobs/backup-schedule.ts";
import type { Notifications, ObjectsSource } from "../../components/jobs/reach.ts";
import type { DrConfiguration } from "../../plan/config/dr-json.ts";
import { stateBucket } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import type { ServingConfig } from "../configuration/schema.ts";
import { endpointOf, objectStores } from "./endpoints.ts";
import type { RegionIdentities } from "./identities.ts";
import { present } from "./present.ts";
import type { OpenRegion } from "./region.ts";
import { serversOf } from "./servers.ts";
import type { RegionStores } from "./stores.ts";

/** The jobs of a region: the same everywhere, each at work only where its store's leader is. */
export function declareJobs(region: OpenRegion<ServingConfig>, { roleArns }: RegionIdentities, stores: RegionStores): BackupSchedule {
  const { plan, config, common, options } = region;
  return new BackupSchedule(
    "jobs",
    {
      plan,
      region: region.name,
      topology: common.topology,
      image: config.images.runner,
      servers: serversOf(region, stores),
      objectStores: objectStores(plan, config),
      configuration: keptConfiguration(plan, config.configuration.repositories),
      ...objectsOf(config),
      ...notificationsOf(config),
      suspended: config.suspended,
      ...(roleArns === undefined ? {} : { roleArns }),
    },
    options,
  );
}

/** In the same account as the backups' own bucket in R2, and opened by a token of its own. */
function objectsOf({ objects, r2 }: ServingConfig): { readonly objects?: ObjectsSource } {
  if (objects === undefined) return {};
  const { bucket, prefix, credentials } = objects;
  return { objects: { endpoint: endpointOf({ kind: "r2", region: "auto" }, { r2 }), bucket, credentials, ...present({ prefix }) } };
}

function notificationsOf({ monitoring: { alertmanager, webhook, prometheusNamespace } }: ServingConfig): { readonly notifications?: Notifications } {
  if (alertmanager === undefined && webhook === undefined) return {};
  return { notifications: { ...(alertmanager === undefined ? {} : { alertmanager: { url: alertmanager, namespace: prometheusNamespace } }), ...present({ webhook }) } };
}

/** The states lie in the secondary region, whichever region's job keeps them. */
function keptConfiguration(plan: Plan, repositories: DrConfiguration["repositories"]): DrConfiguration {
  const region = plan.regions.find(({ role }) => role === "secondary")?.name;
  if (region === undefined) throw new RangeError(`the plan ${plan.name} has no secondary region`);
  return { repositories, states: [{ name: "pulumi", endpoint: `s3.${region}.amazonaws.com`, region, bucket: stateBucket(plan) }] };
}
