import type * as pulumi from "@pulumi/pulumi";
import type { PostgresRole } from "../../plan/secrets.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import type { PostgresClusterRole } from "./postgres/args.ts";

/** The roles that are declared here; the others (superuser, replication, rewind) are Patroni's. */
export type DeclaredRole = Exclude<PostgresRole, "superuser" | "replication" | "rewind">;

export interface PostgresAccessArgs {
  readonly plan: Plan;
  /** What the cluster of this stack is: roles are declared on the primary alone, because a standby is read-only. */
  readonly clusterRole: PostgresClusterRole["kind"];
  /** Whether the database is there. `false` declares nothing: at the first `up`, and while it is out of reach, as the
   * provider connects at every preview and refresh. */
  readonly enabled: boolean;
  /** How the machine that runs `pulumi up` reaches the leader. */
  readonly connection: {
    readonly host: pulumi.Input<string>;
    readonly port: pulumi.Input<number>;
    /** Secret. Of the role `superuser`. */
    readonly superuserPassword: pulumi.Input<string>;
    /** Path on the machine that runs `up` of the authority that signs the server's certificate. */
    readonly authorityFile?: pulumi.Input<string>;
  };
  /** Secret. One of each role that is declared here. */
  readonly passwords: Readonly<Record<DeclaredRole, pulumi.Input<string>>>;
  readonly lifetime: Lifetime;
}

/** Roles, grants and databases on the primary. */
export class PostgresAccess extends Component {
  constructor(name: string, args: PostgresAccessArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`PostgresAccess ${name}`, [args.clusterRole !== "primary" && `clusterRole: roles are declared on the primary alone, and this is the ${args.clusterRole}: a standby is read-only`]);
    super("databases", "PostgresAccess", name, { clusterRole: args.clusterRole, enabled: args.enabled }, options);
    this.registerOutputs({ enabled: args.enabled });
  }
}
