import type { RegionServers, VectorServers } from "../../components/jobs/reach.ts";
import type { ServingConfig } from "../configuration/schema.ts";
import { present } from "./present.ts";
import type { OpenRegion } from "./region.ts";
import type { RegionStores } from "./stores.ts";

/** What the jobs and the exporter of a region talk to: the region's own servers, never another's. */
export function serversOf({ config: { monitoring, vectors: choice, configuration: { kubernetesApi } } }: OpenRegion<ServingConfig>, { postgres, redis, vault, vectors }: RegionStores): RegionServers {
  if (postgres.endpoints === undefined) throw new RangeError("a region that has jobs has a database");
  return {
    postgres: postgres.endpoints,
    redis: redis.servers,
    ...(vault === undefined ? {} : { vault: vault.address }),
    ...(vectors === undefined || choice === undefined ? {} : { vectors: vectorServers(choice, vectors) }),
    ...(monitoring.prometheus === undefined ? {} : { prometheus: { url: monitoring.prometheus, namespace: monitoring.prometheusNamespace, ...(monitoring.prometheusClaim === undefined ? {} : { data: { claim: monitoring.prometheusClaim } }) } }),
    ...(kubernetesApi === undefined ? {} : { kubernetes: kubernetesApi }),
  };
}

const vectorServers = (choice: NonNullable<ServingConfig["vectors"]>, { nodes, url }: NonNullable<RegionStores["vectors"]>): VectorServers =>
  choice.kind === "qdrant" ? { kind: "qdrant", nodes } : { kind: "pinecone", index: choice.index, host: url, ...present({ changedField: choice.changedField }) };
