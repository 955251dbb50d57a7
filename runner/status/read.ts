import type { CatalogListing } from "../catalog/catalog.ts";
import type { RunContext } from "../context.ts";
import { DrError, messageOf } from "../errors.ts";
import type { StorageBackend } from "../storage/backend.ts";
import { postgresWatermark, type RepositoryWatermark } from "../stores/postgres/watermark.ts";
import { readReplication } from "./replication.ts";
import { statusOf, type BackendState, type Status, type WalState } from "./status.ts";

async function stateOf(backend: StorageBackend): Promise<BackendState> {
  try {
    await backend.check();
    const availableBytes = await backend.available();
    return { name: backend.name, ...(availableBytes === undefined ? {} : { availableBytes }) };
  } catch (error) {
    return { name: backend.name, error: messageOf(error) };
  }
}

function walStateOf(watermark: RepositoryWatermark): WalState {
  const { repository: backend } = watermark;
  if (watermark.status === "failed") return { backend, error: watermark.error };
  return watermark.status === "empty" ? { backend } : { backend, newest: { segment: watermark.segment, at: watermark.archivedAt } };
}

/** One state per backend that has a repository; none where this configuration runs no PostgreSQL. */
async function readWal(context: RunContext): Promise<WalState[]> {
  const { config } = context;
  if (config.postgres === undefined || config.backends.every(({ pgbackrest }) => pgbackrest === undefined)) return [];
  return (await postgresWatermark(context)).map(walStateOf);
}

/** Where no backend can be read there is nothing to list, and the backends' own errors say why. */
async function listingOf(context: RunContext): Promise<CatalogListing> {
  try {
    return await context.catalog.list();
  } catch (error) {
    if (error instanceof DrError && error.kind === "unavailable") return { records: [], problems: [] };
    throw error;
  }
}

/** The stores that a configuration runs, by the names of their records. */
export function configuredStores({ config }: RunContext): string[] {
  const both = config.postgres !== undefined && config.redis !== undefined;
  return [...(config.postgres === undefined ? [] : ["postgres"]), ...(config.redis === undefined ? [] : ["redis"]), ...(both ? ["agents"] : []), ...(config.objects === undefined ? [] : ["objects"])];
}

/** Reads the catalog and the buckets and judges them by the plan. Throws nothing for a backend or a server that is down. */
export async function readStatus(context: RunContext): Promise<Status> {
  const [listing, backends, wal, replication] = await Promise.all([listingOf(context), Promise.all(context.backends.map(stateOf)), readWal(context), readReplication(context)]);
  return statusOf({ plan: context.plan, now: context.clock.now(), listing, backends, wal, stores: configuredStores(context), ...(replication === undefined ? {} : { replication }) });
}
