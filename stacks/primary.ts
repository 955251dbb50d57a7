import { PostgresAccess } from "../components/databases/postgres-access.ts";
import type { Plan } from "../plan/types.ts";
import type { PrimaryConfig } from "./configuration/schema.ts";
import { postgresAccessArgs } from "./parts/access.ts";
import { declareIdentities } from "./parts/identities.ts";
import { declareJobs } from "./parts/jobs.ts";
import { declareLogs } from "./parts/logs.ts";
import { declareMonitoring } from "./parts/monitoring.ts";
import { openRegion, servingSecrets } from "./parts/region.ts";
import { declareStores } from "./parts/stores.ts";
import type { StackOutputs } from "./program.ts";
import type { Surroundings } from "./surroundings.ts";

/** The region that serves while nothing has failed: the leaders, their near replicas, and the jobs that back them up. */
export async function primary(plan: Plan, config: PrimaryConfig, surroundings: Surroundings): Promise<StackOutputs> {
  const region = await openRegion(plan, config, surroundings, "primary", servingSecrets(plan));

  const identities = declareIdentities(region);
  const stores = declareStores(region, identities, "primary");
  new PostgresAccess("postgres-access", postgresAccessArgs(region, config.postgresAccess), { dependsOn: [stores.postgres] });
  const jobs = declareJobs(region, identities, stores);
  declareMonitoring(region, identities, stores);
  declareLogs(region);

  return { region: region.name, jobs: jobs.urn, health: stores.postgres.endpoints?.health };
}
