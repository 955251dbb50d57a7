export const keyType = "aws:kms/key:Key";
export const replicaKeyType = "aws:kms/replicaKey:ReplicaKey";
export const aliasType = "aws:kms/alias:Alias";
export const keyTypes: readonly string[] = [keyType, replicaKeyType];
