import { CrossRegionReplication } from "../components/storage/cross-region-replication.ts";
import type { Plan } from "../plan/types.ts";
import type { SecondaryConfig } from "./configuration/schema.ts";
import { accessLog, backupBuckets, replicationOf, stateStore } from "./parts/buckets.ts";
import { declareIdentities } from "./parts/identities.ts";
import { declareJobs } from "./parts/jobs.ts";
import { declareLogs } from "./parts/logs.ts";
import { declareMonitoring } from "./parts/monitoring.ts";
import { openRegion, servingSecrets } from "./parts/region.ts";
import { declareStores } from "./parts/stores.ts";
import type { StackOutputs } from "./program.ts";
import type { Surroundings } from "./surroundings.ts";

/** The hot standby, and the second store of every backup. It comes up without the primary region's state or servers. */
export async function secondary(plan: Plan, config: SecondaryConfig, surroundings: Surroundings): Promise<StackOutputs> {
  const region = await openRegion(plan, config, surroundings, "secondary", servingSecrets(plan));

  const log = accessLog(region);
  const buckets = backupBuckets(region, config.lockMode, log);
  const state = stateStore(region, log);
  const replications = buckets.flatMap((bucket) => replicationOf(region, bucket).map((args) => new CrossRegionReplication(`${bucket.bucketName}-replication`, args)));

  const identities = declareIdentities(region);
  const stores = declareStores(region, identities, "standby");
  const jobs = declareJobs(region, identities, stores);
  declareMonitoring(region, identities, stores);
  declareLogs(region);

  return { region: region.name, buckets: buckets.map(({ bucketName }) => bucketName), replications: replications.map(({ roleName }) => roleName), state: state.bucketName, jobs: jobs.urn, health: stores.postgres.endpoints?.health };
}
