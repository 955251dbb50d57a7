import { z } from "zod";

/**
 * What a stack is told besides the plan: accounts, addresses, images. The plan holds every figure of the promise; here
 * is only where it is kept. No secret stands in a configuration. Examples are shown with each error.
 */
const text = z.string().min(1);
const arn = z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:/, "must be the ARN of an IAM principal");
const cidr = z.string().regex(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, "must be an IPv4 range such as 10.1.0.0/16");

const awsAccount = z.strictObject({
  accountId: z.string().regex(/^\d{12}$/, "must be the account's twelve digits"),
  /** Who manages keys; `pulumi up` runs as one of them. */
  administrators: z.array(arn).min(1),
  /** Who may delete locked versions after a mistake. Default: nobody. */
  breakGlass: z.array(arn).default([]),
  /** The archive's account, where it has one of its own: a thief of one account has not the other. */
  archiveAccountId: z.string().regex(/^\d{12}$/, "must be the account's twelve digits").optional(),
  /** As `breakGlass`, in the archive's account. */
  archiveBreakGlass: z.array(arn).default([]),
});

const token = z.strictObject({ label: text, expiresOn: z.iso.datetime() });
const r2 = z.strictObject({
  accountId: z.string().regex(/^[0-9a-f]{32}$/, "must be Cloudflare's 32 hexadecimal digits"),
  locationHint: z.enum(["apac", "eeur", "enam", "weur", "wnam", "oc"]).default("weur"),
  jurisdiction: z.enum(["default", "eu", "fedramp", "us"]).default("default"),
  tokens: z.strictObject({ current: token, previous: token.optional() }),
  adopt: z.boolean().default(false),
});

const dns = z.strictObject({
  zone: z.strictObject({ id: text, name: text, plan: z.enum(["standard", "enterprise"]) }),
  hostname: text,
  regions: z.array(z.strictObject({ region: text, url: z.url({ protocol: /^https$/ }) })),
});

const escrow = z.strictObject({ recipients: z.array(z.string().includes("BEGIN PGP PUBLIC KEY BLOCK")).min(2) });

const place = z.strictObject({ region: text, namespace: text, domain: text });
const topology = z.strictObject({
  places: z.array(place),
  exposure: z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("cluster") }), z.strictObject({ kind: z.literal("load-balancer"), annotations: z.record(text, z.string()).optional() })]),
});

const nodeGroup = z.strictObject({
  name: text,
  instanceTypes: z.array(text).min(1),
  perZone: z.strictObject({ min: z.int().min(0), desired: z.int().min(0), max: z.int().min(1) }),
  diskGib: z.number().positive(),
});
const cluster = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("existing"), context: text, kubeconfig: text.optional(), oidc: z.strictObject({ arn: text, issuer: text }).optional() }),
  z.strictObject({
    kind: z.literal("eks"),
    version: z.string().regex(/^1\.\d+$/, "must be a minor version such as 1.34"),
    network: z.strictObject({ cidr, zones: z.array(text).min(2), nat: z.enum(["each-zone", "one"]).default("each-zone") }),
    nodes: z.array(nodeGroup).min(1),
    apiAccess: z.array(cidr).default([]),
    administrators: z.array(arn).min(1),
    secretsKeyAlias: text.optional(),
    /** Whether people have installed in it what it must have (README.md). Until then only the cluster is declared: kinds
     * that it does not know would break the `up` off with half of the region made. */
    operators: z.enum(["not-yet", "installed"]).default("not-yet"),
  }),
]);
/** A region whose network came up before; it is found by its tags. One that is gone is left out. */
const peer = z.strictObject({ region: text, cidr, zones: z.array(text).min(2) });

const images = z.strictObject({ runner: text, redis: text.optional(), vault: text.optional(), vectors: text.optional() });
const versions = z.strictObject({ redis: text.default("8.0.2"), vault: text.default("2.4.1"), vectors: text.default("1.19.0") });
const issuer = z.strictObject({ name: text, kind: z.enum(["Issuer", "ClusterIssuer"]) });
const storage = z.strictObject({ className: text, postgres: text, redis: text, vault: text, vectors: text });

const vectors = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("qdrant"), nodes: z.int().min(1).optional() }),
  z.strictObject({ kind: z.literal("pinecone"), index: text, host: text, changedField: text.optional() }),
]);
const vaultSeal = z.strictObject({ directory: text, command: text, sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hexadecimal") });

const postgresAccess = z.discriminatedUnion("enabled", [
  z.strictObject({ enabled: z.literal(false) }),
  z.strictObject({ enabled: z.literal(true), host: text, port: z.int().min(1).max(65_535), authorityFile: text.optional() }),
]);
const health = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("service") }),
  z.strictObject({ kind: z.literal("ingress"), host: text, className: text, annotations: z.record(text, z.string()).optional() }),
]);

/** A key of a Kubernetes secret in the region's namespace, which whoever owns what it opens puts there. */
const secretKey = z.strictObject({ secret: text, key: text });

/** The services' bucket in the same account of R2, and a token's credentials that read it and no other. */
const objects = z.strictObject({ bucket: z.string().min(3), prefix: text.optional(), credentials: secretKey });

/** The log shipper's own namespace, and in it a Kubernetes secret a backend with credentials that write its lines; for S3 a
 * role does as well. */
const logs = z.strictObject({
  namespace: text.default("blackroad-dr-logs"),
  credentials: z.strictObject({ r2: secretKey.optional(), s3: secretKey.optional() }),
  roleArn: arn.optional(),
});

const monitoring = z.strictObject({
  runbookUrl: z.url({ protocol: /^https$/ }),
  /** The region's Prometheus, `http://HOST:PORT`, for its snapshots. Absent: none is made here. */
  prometheus: z.url().optional(),
  prometheusNamespace: text.default("monitoring"),
  /** The claim of its volume, which a job mounts to read its snapshots: Prometheus must then run in the region's own
   * namespace. Absent: no snapshot is made here. */
  prometheusClaim: text.optional(),
  /** What the region's Prometheus and Alertmanager select by. */
  labels: z.record(text, z.string()).default({}),
  /** A Kubernetes secret with the webhook of a service that calls people when it hears nothing. */
  deadMansSwitch: secretKey,
  /** The region's Alertmanager, `http://HOST:PORT`, in Prometheus' namespace: a job that fails tells it at once. */
  alertmanager: z.url({ protocol: /^https?$/ }).optional(),
  /** The address of a webhook that is told likewise. */
  webhook: secretKey.optional(),
});

/** Git repositories, and where the API of the region's cluster is, whose manifests are kept. */
const configuration = z.strictObject({
  repositories: z.array(z.strictObject({ name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lower-case letters, digits and hyphens"), source: z.url({ protocol: /^https$/ }) })).default([]),
  kubernetesApi: z.strictObject({ networks: z.array(cidr).min(1), port: z.int().min(1).max(65_535).default(443) }).optional(),
});

const inCluster = { topology, cluster, images, versions: versions.prefault({}), issuer, storage, networks: z.array(cidr).default([]), peers: z.array(peer).default([]) };
const serving = { ...inCluster, aws: awsAccount, r2, vectors: vectors.optional(), objects: objects.optional(), logs: logs.optional(), vaultSeal: vaultSeal.optional(), vault: z.boolean().default(true), health: health.default({ kind: "service" }), monitoring, configuration: configuration.prefault({}), suspended: z.boolean().default(false) };
const lockMode = z.enum(["GOVERNANCE", "COMPLIANCE"]);
const archive = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("glacier-vault"), completeLock: z.boolean() }),
  z.strictObject({ kind: z.literal("s3"), storageClass: z.enum(["GLACIER", "DEEP_ARCHIVE"]).default("GLACIER") }),
]);

export const globalSchema = z.strictObject({ role: z.literal("global"), aws: awsAccount, r2, dns, escrow });
export const archiveSchema = z.strictObject({ role: z.literal("archive"), ...inCluster, aws: awsAccount, lockMode, archive });
export const secondarySchema = z.strictObject({ role: z.literal("secondary"), ...serving, lockMode });
export const primarySchema = z.strictObject({ role: z.literal("primary"), ...serving, postgresAccess });
export const drillSchema = z.strictObject({
  role: z.literal("drill"),
  cluster,
  images,
  issuer,
  aws: awsAccount.pick({ accountId: true }),
  r2: r2.pick({ accountId: true, jurisdiction: true }),
  drill: z.strictObject({
    name: z.string().regex(/^dr-drill-\d{8}(-[a-z0-9]+)?$/, "must be dr-drill-YYYYMMDD-…"),
    region: text,
    timeToLiveMinutes: z.number().positive(),
    expiresAt: z.iso.datetime(),
    backends: z.array(z.enum(["r2", "s3"])).min(1).default(["r2", "s3"]),
    command: z.array(text).min(1).optional(),
  }),
});

export const schemas = { global: globalSchema, primary: primarySchema, secondary: secondarySchema, archive: archiveSchema, drill: drillSchema } as const;
export type GlobalConfig = z.infer<typeof globalSchema>;
export type ArchiveConfig = z.infer<typeof archiveSchema>;
export type PrimaryConfig = z.infer<typeof primarySchema>;
export type SecondaryConfig = z.infer<typeof secondarySchema>;
export type ServingConfig = PrimaryConfig | SecondaryConfig;
export type DrillConfig = z.infer<typeof drillSchema>;
export type StackConfig = GlobalConfig | ArchiveConfig | PrimaryConfig | SecondaryConfig | DrillConfig;
