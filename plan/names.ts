/**
 * Names that a region must know of another without asking it: the failed region's state may be out of reach in a
 * disaster. Each is derived from the plan alone.
 */
import type { Backend, Plan } from "./types.ts";

/** One per region, and three that are everybody's. */
export type StackRole = "global" | "primary" | "secondary" | "archive" | "drill";
export const stackRoles: readonly StackRole[] = ["global", "primary", "secondary", "archive", "drill"];

/** Of the plan's keys: what everything at rest is encrypted with in AWS, and what unseals Vault. */
export const backupsKey = "backups";
export const vaultSealKey = "vault-seal";
/** The same in every region that has a replica of the key. */
export const keyAlias = (plan: Plan, key: string): string => `alias/${plan.name}-${key}`;

/** In Secrets Manager, the same in every region that has a replica. */
export const secretPath = (plan: Plan, secret: string): string => `${plan.name}/${secret}`;

/** Where a bucket's copy in another region lies. */
export const replicaBucket = (bucket: string): string => `${bucket}-replica`;
/** Where accesses to a region's buckets are written down. */
export const accessLogBucket = (plan: Plan, region: string): string => `${plan.name}-access-logs-${region}`;
/** Where Pulumi keeps the state of every stack; in the secondary region, so that it survives the primary one. */
export const stateBucket = (plan: Plan): string => `${plan.name}-pulumi-state`;

/** IAM knows no regions: a role carries its region in its name. At most 64 characters. */
export const roleName = (plan: Plan, identity: string, region: string): string => `${plan.name}-dr-${identity}-${region}`;

/** In a region's cluster. */
export const serviceAccountName = (identity: string): string => `dr-${identity}`;
export const defaultNamespace = (plan: Plan): string => `${plan.name}-dr`;

/** A region's cluster and its network, where they are made from nothing; other regions find the network by its tags. */
export const clusterName = (plan: Plan, region: string): string => `${plan.name}-dr-${region}`;
/** Tags `Name` of a cluster's route tables: the one of its public subnets, then one for each zone. */
export const routeTableNames = (cluster: string, zones: readonly string[]): readonly string[] => [`${cluster}-public`, ...zones.map((zone) => `${cluster}-private-${zone}`)];

/** Tag `Name` of the private zone behind a region's domain. */
export const privateZoneName = (plan: Plan, region: string): string => `${plan.name}-dr-${region}-servers`;

/** The prefix under which agents, jobs and pgBackRest find what is theirs. */
export const pgbackrestPath = "/pgbackrest";
export const stanza = "main";

/** The bucket that every backup of a backend goes to, and the one for what is kept for less than its lock. */
export const bucketsOf = (backend: Backend): readonly string[] => [...new Set([backend.bucket, ...(backend.shortLived === undefined ? [] : [backend.shortLived.bucket])])];

/** The Kubernetes secret that holds one secret of the plan, and the file in a container that it is mounted as. */
export const kubernetesSecret = (secret: string): string => `dr-secret-${secret}`;
export const secretKey = "value";
export const secretsFolder = "/run/secrets/dr";
export const secretFile = (secret: string): string => `${secretsFolder}/${secret}/${secretKey}`;
