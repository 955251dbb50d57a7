import type { StackRule } from "../../core/rule.ts";
import { belongsTo } from "./guard-present.ts";

export const glacierLockPresent: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "glacier-lock-present",
  severity: "critical",
  enforcement: "mandatory",
  protects: "An archive that no lock guards is deleted with the credentials of whoever administers its account.",
  fix: "Declare a VaultLock for the vault.",
  breaks: { name: "another-vault", vaultName: "another-vault" },
  judge(resources, verdict) {
    const locks = resources.filter(({ facts }) => facts.type === "aws:glacier/vaultLock:VaultLock");
    for (const vault of resources.filter(({ facts }) => facts.type === "aws:glacier/vault:Vault")) {
      if (!locks.some((lock) => belongsTo(lock, "vaultName", vault, "name"))) verdict.violation(vault, "", "has no VaultLock beside it");
    }
  },
};
