import type { BackendConfig } from "../config.ts";
import type { RunContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { StorageBackend } from "../storage/backend.ts";
import type { WalState } from "./status.ts";

/** pgBackRest's name for an archived segment: version and number of the database, segment, sha1, compression. */
const archived = /\/[\d.]+-(\d+)\/[0-9A-F]{16}\/([0-9A-F]{24})-[0-9a-f]{40}(?:\.[a-z0-9]+)?$/;

interface Segment {
  /** Counts up with each upgrade, after which the segments' names begin anew. */
  readonly database: number;
  readonly name: string;
  readonly at: string;
}

const isNewer = (segment: Segment, other: Segment | undefined): boolean => other === undefined || segment.database > other.database || (segment.database === other.database && segment.name > other.name);

/**
 * The newest WAL segment of a repository, as the bucket lists it: an archiver that reports success and delivers
 * nothing is seen here and nowhere else. The name decides, not the time: a segment that was pushed again is not newer.
 */
export async function newestWal(backend: StorageBackend, config: BackendConfig, stanza: string): Promise<WalState> {
  const path = config.pgbackrest?.path.replace(/^\/+|\/+$/g, "");
  if (path === undefined) return { backend: backend.name };
  try {
    let newest: Segment | undefined;
    for await (const object of backend.list(`${path}/archive/${stanza}/`)) {
      const [, database, name] = archived.exec(object.key) ?? [];
      if (database === undefined || name === undefined) continue;
      const segment = { database: Number(database), name, at: object.modifiedAt.toISOString() };
      if (isNewer(segment, newest)) newest = segment;
    }
    return { backend: backend.name, ...(newest === undefined ? {} : { newest: { segment: newest.name, at: newest.at } }) };
  } catch (error) {
    return { backend: backend.name, error: messageOf(error) };
  }
}

/** One state per backend that has a repository; none where this configuration runs no PostgreSQL. */
export async function readWal({ config, backends }: RunContext): Promise<WalState[]> {
  const { postgres } = config;
  if (postgres === undefined) return [];
  const states = backends.flatMap((backend) => {
    const own = config.backends.find(({ name }) => name === backend.name);
    return own?.pgbackrest === undefined ? [] : [newestWal(backend, own, postgres.stanza)];
  });
  return Promise.all(states);
}
