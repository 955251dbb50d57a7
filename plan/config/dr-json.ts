/** The runner's configuration file (`dr.json`, schema in runner/config.ts) of an identity in a region. */
import type { IdentityName } from "../identities.ts";
import type { BackendName, Plan } from "../types.ts";

export interface Server {
  readonly host: string;
  readonly port: number;
}

export interface DrServers {
  readonly postgres?: Server & { readonly pgbackrest?: Server };
  readonly redis?: Server;
}

export interface DrJson {
  readonly plan: Plan;
  /** Whose file it is: what it names, and whether it may write, follows from it. */
  readonly identity: IdentityName;
  /** Of the same region; absent for a restorer, which is given backups and nothing else. */
  readonly servers?: DrServers;
  /** Of every backend that jobs write to (kinds `r2` and `s3`). */
  readonly objectStores: Readonly<Partial<Record<BackendName, { readonly endpoint: string; readonly authority?: unknown }>>>;
}

/** Where the image's `dr` is told to find it. */
export const drJsonPath = "/etc/dr/dr.json";
