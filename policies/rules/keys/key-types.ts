export const keyType = "aws:kms/key:Key";
export const replicaKeyType = "aws:kms/replicaKey:ReplicaKey";
export const aliasType = "aws:kms/alias:Alias";
/** A key's policy as a resource of its own, which takes the place of the key's. */
const keyPolicyType = "aws:kms/keyPolicy:KeyPolicy";
export const keyTypes: readonly string[] = [keyType, replicaKeyType];
/** Whatever says in `policy` who may do what with a key. */
export const keyPolicyTypes: readonly string[] = [...keyTypes, keyPolicyType];
