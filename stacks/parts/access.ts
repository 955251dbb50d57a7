import type { PostgresAccessArgs } from "../../components/databases/postgres-access.ts";
import { postgresSecret, type PostgresRole } from "../../plan/secrets.ts";
import type { PrimaryConfig } from "../configuration/schema.ts";
import { valueOf, type OpenRegion } from "./region.ts";

/** Roles and grants are a step that can be left out: the provider connects at every preview, and the database may not be there. */
export function postgresAccessArgs({ plan, secrets }: OpenRegion, access: PrimaryConfig["postgresAccess"]): PostgresAccessArgs {
  const password = (role: PostgresRole) => valueOf(secrets, postgresSecret(role));
  return {
    plan,
    clusterRole: "primary",
    enabled: access.enabled,
    connection: {
      host: access.enabled ? access.host : "",
      port: access.enabled ? access.port : 0,
      superuserPassword: password("superuser"),
      ...(access.enabled && access.authorityFile !== undefined ? { authorityFile: access.authorityFile } : {}),
    },
    passwords: { backup: password("backup"), recovery: password("recovery"), monitoring: password("monitoring"), heartbeat: password("heartbeat"), app: password("app") },
    lifetime: "kept",
  };
}
