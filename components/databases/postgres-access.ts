import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { postgresUser, servicesDatabase, type PostgresRole } from "../../plan/secrets.ts";
import type { Plan } from "../../plan/types.ts";
import { adopt } from "../adopt.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import type { PostgresClusterRole } from "./postgres/args.ts";

/** The roles that are declared here; the others (superuser, replication, rewind) are Patroni's. */
export type DeclaredRole = Exclude<PostgresRole, "superuser" | "replication" | "rewind">;
const declaredRoles: readonly DeclaredRole[] = ["app", "backup", "recovery", "monitoring", "heartbeat"];

export interface PostgresAccessArgs {
  readonly plan: Plan;
  /** What the cluster of this stack is: roles are declared on the primary alone, because a standby is read-only. */
  readonly clusterRole: PostgresClusterRole["kind"];
  /** Whether the database is there and can be reached. `false` declares nothing: at the first `up`, and while it is out
   * of reach, as the provider connects at every preview and refresh. What was declared before is forgotten then, not
   * dropped, and without a connection; afterwards `adopt` takes it over again. */
  readonly enabled: boolean;
  /** Takes over the roles and databases that exist, instead of failing because they do: once after `enabled` was false
   * for a while, after a recovery, or after a lost state. Each of them must exist. @default false */
  readonly adopt?: boolean;
  /** How the machine that runs `pulumi up` reaches the leader. */
  readonly connection: {
    /** One of the names in the server's certificate. */
    readonly host: pulumi.Input<string>;
    readonly port: pulumi.Input<number>;
    /** Secret. Of the role `superuser`. */
    readonly superuserPassword: pulumi.Input<string>;
    /** Path on the machine that runs `up` of the authority that signs the server's certificate. Default: the authorities
     * that the machine trusts. */
    readonly authorityFile?: pulumi.Input<string>;
  };
  /** Secret. One of each role that is declared here. */
  readonly passwords: Readonly<Record<DeclaredRole, pulumi.Input<string>>>;
  /** `kept`: nothing is ever dropped or revoked by leaving it out. */
  readonly lifetime: Lifetime;
}

/** What a role may, besides logging in with its password. */
const powers: Readonly<Record<DeclaredRole, { readonly roles: readonly string[]; readonly connectionLimit: number }>> = {
  app: { roles: [], connectionLimit: -1 },
  // The agents' checkpoints read every table.
  backup: { roles: ["pg_read_all_data"], connectionLimit: 16 },
  recovery: { roles: ["pg_read_all_data"], connectionLimit: 16 },
  monitoring: { roles: ["pg_monitor"], connectionLimit: 8 },
  heartbeat: { roles: [], connectionLimit: 4 },
};

/** Who may connect to the services' database, besides its owner. */
const guests: readonly DeclaredRole[] = ["backup", "recovery", "monitoring"];

/** What a recovery point needs, and nobody may by himself: a name in the WAL, and an end of the segment. */
const restorePointFunctions = ["pg_create_restore_point", "pg_switch_wal"];

/** Apart from the services' data: a heartbeat says whether and how far writes come through, in a drill and in production. */
export const heartbeatDatabase = (plan: Plan): string => `${plan.name}_heartbeat`;

/** Roles, grants and databases on the primary; a replica has them from there. */
export class PostgresAccess extends Component {
  /** Of the services; `undefined` where it is not enabled. */
  readonly database: pulumi.Output<string> | undefined;

  constructor(name: string, args: PostgresAccessArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`PostgresAccess ${name}`, problems(args));
    super("databases", "PostgresAccess", name, { plan: args.plan, clusterRole: args.clusterRole, enabled: args.enabled, lifetime: args.lifetime }, options);
    this.database = args.enabled ? this.declareAll(name, args) : undefined;
    this.registerOutputs({ enabled: args.enabled, lifetime: args.lifetime, roles: args.enabled ? declaredRoles.map((role) => postgresUser(args.plan, role)) : [], databases: args.enabled ? [servicesDatabase(args.plan), heartbeatDatabase(args.plan)] : [] });
  }

  private declareAll(name: string, args: PostgresAccessArgs): pulumi.Output<string> {
    const { plan } = args;
    const provider = this.provider(name, args);
    // Retained and not protected: what is protected could not be left out, and a retained one is never dropped.
    const child = { parent: this, provider, retainOnDelete: args.lifetime === "kept" };
    const existing = (id: string) => adopt(child, args.adopt === true ? id : undefined);
    const roles = new Map(declaredRoles.map((role) => [role, this.role(name, args, role, existing(postgresUser(plan, role)))]));
    const ownedBy = (owner: DeclaredRole, database: string): pulumi.CustomResourceOptions => ({ ...existing(database), dependsOn: [...roles].filter(([role]) => role === owner).map(([, resource]) => resource) });
    const services = new postgresql.Database(`${name}-services`, { name: servicesDatabase(plan), owner: postgresUser(plan, "app"), ...likeTheCluster }, ownedBy("app", servicesDatabase(plan)));
    const heartbeat = new postgresql.Database(`${name}-heartbeat-database`, { name: heartbeatDatabase(plan), owner: postgresUser(plan, "heartbeat"), ...likeTheCluster }, ownedBy("heartbeat", heartbeatDatabase(plan)));
    const after = { ...child, dependsOn: [services, heartbeat, ...roles.values()] };
    // One after the other: two grants on one object at a time collide in PostgreSQL's catalogue.
    const grants = [
      this.only(name, "services", servicesDatabase(plan), after),
      this.only(name, "heartbeat", heartbeatDatabase(plan), after),
    ];
    const waiting = () => ({ ...after, dependsOn: [...after.dependsOn, ...grants] });
    for (const role of guests) grants.push(this.connection(name, plan, role, waiting()));
    this.restorePoints(name, plan, waiting());
    this.recoveryTables(name, plan, after);
    return services.name;
  }

  private provider(name: string, { connection, plan }: PostgresAccessArgs): postgresql.Provider {
    const { authorityFile, host, port, superuserPassword } = connection;
    return new postgresql.Provider(
      `${name}-connection`,
      {
        host, port,
        username: postgresUser(plan, "superuser"),
        password: pulumi.secret(superuserPassword),
        database: "postgres",
        sslmode: "verify-full",
        ...(authorityFile === undefined ? {} : { sslrootcert: authorityFile }),
        connectTimeout: connectWithin,
      },
      { parent: this },
    );
  }

  private role(name: string, { passwords, plan }: PostgresAccessArgs, role: DeclaredRole, options: pulumi.CustomResourceOptions): postgresql.Role {
    const { connectionLimit, roles } = powers[role];
    // A role that owns something is not dropped: what it owns would go to the superuser.
    return new postgresql.Role(`${name}-${role}`, { name: postgresUser(plan, role), login: true, password: pulumi.secret(passwords[role]), roles: [...roles], connectionLimit, skipReassignOwned: true }, { ...options, additionalSecretOutputs: ["password"] });
  }

  /** PostgreSQL lets everybody connect to a new database; here its owner does, and who is named. */
  private only(name: string, part: string, database: string, options: pulumi.CustomResourceOptions): postgresql.Grant {
    return new postgresql.Grant(`${name}-${part}-public`, { role: "public", database, objectType: "database", privileges: [] }, options);
  }

  private connection(name: string, plan: Plan, role: DeclaredRole, options: pulumi.CustomResourceOptions): postgresql.Grant {
    return new postgresql.Grant(`${name}-${role}-connect`, { role: postgresUser(plan, role), database: servicesDatabase(plan), objectType: "database", privileges: ["CONNECT"] }, options);
  }

  private restorePoints(name: string, plan: Plan, options: pulumi.CustomResourceOptions): void {
    new postgresql.Grant(`${name}-restore-points`, { role: postgresUser(plan, "backup"), database: servicesDatabase(plan), schema: "pg_catalog", objectType: "function", objects: restorePointFunctions, privileges: ["EXECUTE"] }, options);
  }

  /** Recovered agents are written back into the services' tables, whichever the services make. */
  private recoveryTables(name: string, plan: Plan, options: pulumi.CustomResourceOptions): void {
    const common = { role: postgresUser(plan, "recovery"), owner: postgresUser(plan, "app"), database: servicesDatabase(plan), schema: "public" };
    new postgresql.DefaultPrivileges(`${name}-recovery-tables`, { ...common, objectType: "table", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] }, options);
    new postgresql.DefaultPrivileges(`${name}-recovery-sequences`, { ...common, objectType: "sequence", privileges: ["SELECT", "UPDATE", "USAGE"] }, options);
  }
}

/** Seconds. A preview must not hang on a database that is out of reach. */
const connectWithin = 15;
/** As Patroni founded the cluster; said, or the provider compares with what it would have chosen. */
const likeTheCluster = { encoding: "UTF8", lcCollate: "C.UTF-8", lcCtype: "C.UTF-8", template: "template0" } as const;

function problems({ clusterRole, connection, enabled }: PostgresAccessArgs): readonly (string | false)[] {
  return [
    clusterRole !== "primary" && `clusterRole: roles are declared on the primary alone, and this is the ${clusterRole}${clusterRole === "standby" ? ": a standby is read-only" : ""}`,
    enabled && connection.host === "" && "connection.host: it is empty; the provider would connect to this machine",
    enabled && typeof connection.port === "number" && !(Number.isInteger(connection.port) && connection.port > 0 && connection.port < 65_536) && `connection.port: ${connection.port} is no port`,
  ];
}
