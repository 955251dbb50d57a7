import { RecoveryEnvironment, type RecoveryBackend } from "../components/drill/recovery-environment.ts";
import { RegionCluster } from "../components/foundation/region-cluster.ts";
import type { Plan } from "../plan/types.ts";
import { minutes } from "../plan/units.ts";
import type { DrillConfig } from "./configuration/schema.ts";
import { drillRole, drillSecrets } from "./parts/drill-access.ts";
import { endpointOf } from "./parts/endpoints.ts";
import { clusterChoice } from "./parts/region.ts";
import type { StackOutputs } from "./program.ts";

/** A recovery of production's backups in a place of its own, for as long as a drill takes. Nothing of it outlives it. */
export function drill(plan: Plan, config: DrillConfig): StackOutputs {
  const { drill: asked, images, issuer } = config;
  // One that is made for the drill is called after it: the usual name is production's.
  const named = config.cluster.kind === "eks" ? { clusterName: asked.name } : {};
  const cluster = new RegionCluster("cluster", { plan, region: asked.region, cluster: clusterChoice(config.cluster), ...named, lifetime: "ephemeral" });
  const backends = plan.backends.flatMap((backend): RecoveryBackend[] => (asked.backends.some((name) => name === backend.name) ? [{ name: backend.name, endpoint: endpointOf(backend, config) }] : []));
  const environment = new RecoveryEnvironment(
    "recovery",
    {
      plan,
      drill: asked.name,
      image: images.runner,
      timeToLive: minutes(asked.timeToLiveMinutes),
      expiresAt: asked.expiresAt,
      source: { backends, secrets: drillSecrets(plan, config), ...drillRole(plan, config, cluster.oidc) },
      issuer,
      ...(asked.command === undefined ? {} : { command: asked.command }),
    },
    { provider: cluster.provider },
  );
  return { namespace: environment.namespace, job: environment.job, expiresAt: asked.expiresAt };
}
