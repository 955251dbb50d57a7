import { blackroad } from "../../../plan/blackroad.ts";
import type { ObjectStores, Others, RegionServers } from "../../../components/jobs/reach.ts";
import type { Topology } from "../../../components/topology.ts";

export const image = `registry.example/dr@sha256:${"0".repeat(64)}`;

export const topology: Topology = {
  places: blackroad.regions.map(({ name }) => ({ region: name, namespace: "blackroad-dr", domain: `${name}.dr.example` })),
  exposure: { kind: "cluster" },
};

export const servers: RegionServers = {
  postgres: { local: { host: "pg-local.blackroad-dr.svc.cluster.local", port: 5432 }, pgbackrest: { host: "pg-pgbackrest.blackroad-dr.svc.cluster.local", port: 8432 }, clientSecret: "pg-client" },
  redis: ["redis-0.us-east-1.dr.example:6379", "redis-1.us-east-1.dr.example:6379"],
  vault: "https://vault.blackroad-dr.svc.cluster.local:8200",
  vectors: { kind: "qdrant", nodes: ["https://qdrant-0.us-east-1.dr.example:6333"] },
  prometheus: { url: "http://prometheus.blackroad-dr.svc.cluster.local:9090", namespace: "blackroad-dr", data: { claim: "prometheus-data" } },
  kubernetes: { networks: ["10.1.0.0/16"], port: 443 },
};

export const objectStores: ObjectStores = { r2: { endpoint: "0123.r2.cloudflarestorage.com" }, s3: { endpoint: "s3.us-west-2.amazonaws.com" } };

export const others: Required<Others> = {
  objects: { endpoint: "0123.r2.cloudflarestorage.com", bucket: "blackroad-objects", credentials: { secret: "objects-reader", key: "credentials" } },
  notifications: { alertmanager: { url: "http://alertmanager.monitoring.svc.cluster.local:9093", namespace: "monitoring" }, webhook: { secret: "backup-webhook", key: "url" } },
};

export const here = { plan: blackroad, region: "us-east-1", topology } as const;
