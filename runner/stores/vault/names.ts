/** What the records of Vault's snapshots are filed under. */
export const store = "vault";
export const kind = "snapshot";
