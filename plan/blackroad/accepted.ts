import type { Acceptance, FailureScope, StoreName } from "../types.ts";
import type { Duration } from "../units.ts";
import { replicationLag, systemRpo, tierRto } from "./figures.ts";

const each = (stores: readonly StoreName[], scope: FailureScope, what: "rpo" | "rto", upTo: Duration, reason: string): readonly Acceptance[] =>
  stores.map((store) => ({ store, scope, what, upTo, reason }));

/** A copy that survives, and that nobody can open (facts F10): it stands in no figure, so it stands here by name. */
const unsealed = "When all of AWS is gone, Vault CANNOT be unsealed: its snapshots in R2 open with the KMS key vault-seal alone, which no escrow can hold";

/**
 * Where physics or a vendor does not let the plan keep an objective. Data loss stays within the system's RPO (O1)
 * everywhere, and time within the cold tier's RTO (O8).
 */
export const accepted: readonly Acceptance[] = [
  ...each(["postgres"], "region", "rpo", systemRpo, "RPO 0 over a continent's distance would make every commit wait for us-west-2; replication there is asynchronous, and its lag is watched (S2)"),
  ...each(["redis"], "process", "rpo", replicationLag, "Redis acknowledges before its replica has the write; appendfsync everysec and asynchronous replication lose up to a second (facts F7)"),
  ...each(["redis"], "region", "rpo", systemRpo, "Redis replicates asynchronously; RPO 0 never holds for the loss of a region (facts F7)"),
  ...each(["vault"], "region", "rpo", systemRpo, "The raft quorum is inside one region; secrets change seldom, and a snapshot leaves the region every 5 minutes"),
  ...each(["postgres", "redis"], "provider", "rpo", systemRpo, "Every server is at AWS; without it the copies in R2 are what is left, which are behind by the push or the snapshot's interval"),
  ...each(["vault"], "provider", "rpo", systemRpo, `${unsealed}: the bound is for the time when the key can be used again; until then every secret is issued anew`),
  ...each(["postgres", "redis", "vault"], "logical", "rpo", systemRpo, "Every live copy has an error within a second; what comes back is history, which is behind by the push or the snapshot's interval"),
  ...each(["postgres", "redis", "vault"], "attacker", "rpo", systemRpo, "Only what the stolen credentials cannot delete counts: the locked copies, which are behind by the push or the snapshot's interval"),
  ...each(
    ["postgres", "redis", "vectors", "metrics"],
    "provider",
    "rto",
    tierRto.cold,
    "All three regions are AWS: when all of it is lost there is R2 and no prepared place to restore to; a new account or another provider is set up from code, which is the cold tier",
  ),
  ...each(["vault"], "provider", "rto", tierRto.cold, `${unsealed}: in that time a new Vault is set up elsewhere, with secrets issued anew; what opens the backups themselves is in escrow and needs neither`),
];
