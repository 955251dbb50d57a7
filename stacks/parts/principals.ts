/** Who may use a key, by the names that the roles have in every region: known before any of them exists. */
import { identities, type Identity } from "../../plan/identities.ts";
import type { Plan } from "../../plan/types.ts";
import { replicationRoleName } from "../../components/storage/replication-role.ts";
import { sealIdentity } from "../../components/access/seal-identity.ts";

export interface KeyUsers {
  readonly encrypters: readonly string[];
  readonly decrypters: readonly string[];
}

/** Patterns of role ARNs, for every region: `…:role/blackroad-dr-redis-*`. */
const rolesOf = (plan: Plan, accountId: string, name: string): string => `arn:aws:iam::${accountId}:role/${plan.name}-dr-${name}-*`;

export function keyUsers(plan: Plan, accountId: string, key: string): KeyUsers {
  if (key === "vault-seal") {
    const servers = [rolesOf(plan, accountId, sealIdentity)];
    return { encrypters: servers, decrypters: servers };
  }
  const named = (which: (identity: Identity) => boolean) => identities.filter(which).map(({ name }) => rolesOf(plan, accountId, name));
  const replication = `arn:aws:iam::${accountId}:role/${replicationRoleName(plan)}`;
  // A verification writes its records; whoever restores or measures only reads.
  return { encrypters: [...named(({ access }) => access !== "restorer"), replication], decrypters: [...named(() => true), replication] };
}
