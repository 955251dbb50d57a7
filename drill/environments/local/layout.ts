import { join } from "node:path";
import { DrError } from "../../../runner/errors.ts";
import type { EtcdMember } from "../../../plan/config/etcd.ts";
import type { PatroniMember } from "../servers/patroni.ts";

/**
 * Where everything of a drill is. A region is a folder: its deletion is the loss of its disks. Whatever must survive
 * a region (the object stores, the ledger, the logs that are evidence, the recovery) lies beside the regions.
 */
export const regionNames = ["a", "b", "c"] as const;
/** `a` is the primary region, `b` the secondary one, `c` the witness. */
export type RegionName = (typeof regionNames)[number];
export type MemberName = "a1" | "a2" | "b1";
export type StoreBackendName = "r2" | "s3";
export const storeBackendNames: readonly StoreBackendName[] = ["r2", "s3"];

export interface RedisPlace {
  readonly region: "a" | "b";
  readonly port: number;
  readonly folder: string;
  readonly socket: string;
}

export interface SentinelPlace {
  readonly region: RegionName;
  readonly port: number;
  readonly folder: string;
}

export interface Layout {
  readonly id: string;
  readonly root: string;
  readonly regions: Readonly<Record<RegionName, string>>;
  readonly etcd: readonly (EtcdMember & { readonly name: `etcd-${RegionName}`; readonly region: RegionName; readonly folder: string })[];
  readonly members: readonly [a1: Member, a2: Member, b1: Member];
  readonly redis: readonly [a: RedisPlace, b: RedisPlace];
  readonly sentinels: readonly SentinelPlace[];
  readonly stores: Readonly<Record<StoreBackendName, { readonly folder: string; readonly port: number }>>;
  /** The authority and the certificates of the object stores. */
  readonly tls: string;
  /** The drill's own copies of the secrets; a region's lie in the region. */
  readonly secrets: string;
  readonly logs: string;
  readonly workload: string;
  readonly isolation: string;
  readonly recovery: { readonly folder: string; readonly postgresPort: number; readonly redisPort: number };
}

export type Member = PatroniMember & { readonly name: MemberName; readonly region: "a" | "b" };

/** How many ports `makeLayout` wants. */
export const portsOfLayout = 6 + 6 + 2 + 3 + 2 + 2;

/** The longest path of a Unix socket on Linux, without the zero at its end; a recovery with a name of 16 letters has the longest here. */
const longestSocketPath = 107;

function checkedRoot(root: string): string {
  const longest = join(root, "recovery/sixteen-letters/postgres/run/.s.PGSQL.65535");
  if (longest.length > longestSocketPath) {
    throw new DrError({ kind: "usage", what: `the drill's folder has a path of ${root.length} characters: Unix sockets in it would have names over ${longestSocketPath}`, where: root, todo: "Name a shorter folder with --root, e.g. under /tmp." });
  }
  return root;
}

/** Pure: the same root and ports give the same places. */
export function makeLayout(id: string, root: string, ports: readonly number[]): Layout {
  checkedRoot(root);
  const left = [...ports];
  const port = (): number => {
    const next = left.shift();
    if (next === undefined) throw new RangeError(`a layout needs ${portsOfLayout} ports`);
    return next;
  };
  const region = (name: RegionName) => join(root, name);
  const member = (name: MemberName, of: "a" | "b"): Member => {
    const folder = join(region(of), name);
    return { name, region: of, role: of === "a" ? "primary-region" : "secondary-region", folder, dataDirectory: join(folder, "data"), socketDirectory: join(folder, "run"), postgresPort: port(), restPort: port() };
  };
  const redis = (of: "a" | "b"): RedisPlace => ({ region: of, port: port(), folder: join(region(of), "redis"), socket: join(region(of), "redis", "redis.sock") });
  return {
    id,
    root,
    regions: { a: region("a"), b: region("b"), c: region("c") },
    etcd: regionNames.map((name) => ({ name: `etcd-${name}` as const, region: name, address: "127.0.0.1", peerPort: port(), clientPort: port(), folder: join(region(name), "etcd") })),
    members: [member("a1", "a"), member("a2", "a"), member("b1", "b")],
    redis: [redis("a"), redis("b")],
    sentinels: regionNames.map((name) => ({ region: name, port: port(), folder: join(region(name), "sentinel") })),
    stores: { r2: { folder: join(root, "stores", "r2"), port: port() }, s3: { folder: join(root, "stores", "s3"), port: port() } },
    tls: join(root, "tls"),
    secrets: join(root, "secrets"),
    logs: join(root, "logs"),
    workload: join(root, "workload"),
    isolation: join(root, "isolation"),
    recovery: { folder: join(root, "recovery"), postgresPort: port(), redisPort: port() },
  };
}
