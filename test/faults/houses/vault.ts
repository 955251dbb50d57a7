import { join } from "node:path";
import { startTestVault, writeSecret } from "../../harness/vault.ts";
import { marker, type House } from "../job.ts";
import { openHouse, type Site } from "./site.ts";

/** Only where OpenBao or Vault is on this machine. */
export async function vaultHouse(site: Site): Promise<House> {
  const vault = await startTestVault(join(site.folder, "vault"));
  let runs = 0;
  const change = async (): Promise<void> => writeSecret(vault, "run", `${marker} ${(runs += 1)}`);
  return openHouse(site, {
    name: "vault", undo: [() => vault.stop()], config: { vault: vault.config },
    jobs: () => [{ store: "vault", name: "vault snapshot", command: ["backup", "vault", "snapshot"], makes: { store: "vault", kind: "snapshot" }, change }],
  });
}
