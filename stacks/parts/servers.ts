import type { RegionServers } from "../../components/jobs/reach.ts";
import type { ServingConfig } from "../configuration/schema.ts";
import type { OpenRegion } from "./region.ts";
import type { RegionStores } from "./stores.ts";

/** What the jobs and the exporter of a region talk to: the region's own servers, never another's. */
export function serversOf({ config: { monitoring, configuration: { kubernetesApi } } }: OpenRegion<ServingConfig>, { postgres, redis, vault, vectors }: RegionStores): RegionServers {
  if (postgres.endpoints === undefined) throw new RangeError("a region that has jobs has a database");
  return {
    postgres: postgres.endpoints,
    redis: redis.servers,
    ...(vault === undefined ? {} : { vault: vault.address }),
    ...(vectors === undefined ? {} : { vectors: vectors.nodes.length === 0 ? [vectors.url] : vectors.nodes }),
    ...(monitoring.prometheus === undefined ? {} : { prometheus: { url: monitoring.prometheus, namespace: monitoring.prometheusNamespace, ...(monitoring.prometheusClaim === undefined ? {} : { data: { claim: monitoring.prometheusClaim } }) } }),
    ...(kubernetesApi === undefined ? {} : { kubernetes: kubernetesApi }),
  };
}
