import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { backendOf, scheduleOf } from "../../plan/find.ts";
import { accessLogBucket } from "../../plan/names.ts";
import type { Backend, Plan } from "../../plan/types.ts";
import { days, formatDuration, type Duration } from "../../plan/units.ts";
import { accountProblem, aliasArn, aliasProblem, principalProblem } from "../aws/arn.ts";
import { Component, dataOptions, refuse, type Lifetime } from "../component.ts";
import { archiveLifecycle, wholeDays } from "./bucket-lifecycle.ts";
import { bucketNameProblem } from "./bucket-names.ts";
import { bucketPolicy } from "./bucket-policy.ts";
import { longestRetentionDays } from "./bucket-role.ts";
import { guardedBucket, type LockMode } from "./guarded-bucket.ts";
import { vaultAccessPolicy, vaultLockPolicy } from "./vault-policy.ts";

interface CommonArgs {
  /** Its `archive` backend gives name, region, lock and retention; its `kind` must be the same as here. */
  readonly plan: Plan;
  /** The AWS account that owns the archive: twelve digits. Best an account of its own, with `options.provider` for it:
   * a thief of one account has not the other. */
  readonly accountId: string;
  /** `kept`: protected and retained. `ephemeral`, in a drill: deleted with the stack, so nothing may be locked. */
  readonly lifetime: Lifetime;
}

/** A vault of the Glacier service with its own API. Closed to accounts that had none by 2025-12-15 (facts F1). */
export interface GlacierVaultArgs extends CommonArgs {
  readonly kind: "glacier-vault";
  /**
   * Whether the vault's lock is completed. Danger: completed, it is for ever; nobody, not even AWS, can shorten it.
   * Not completed, it lapses after 24 hours, which is for trying it out. A drill, which locks nothing, must say false.
   */
  readonly completeLock: boolean;
  /** ARN patterns of roles of another account that write to the archive and read it.
   * @default none: roles of the same account need no more than their own policy */
  readonly writers?: readonly string[];
}

/** A bucket whose objects lie in a Glacier storage class. */
export interface S3ArchiveArgs extends CommonArgs {
  readonly kind: "s3";
  /** GLACIER: 90 days at the least, 3 to 12 hours to read. DEEP_ARCHIVE: 180 days, 12 to 48 hours, a quarter of the
   * price.
   * @default GLACIER */
  readonly storageClass?: "GLACIER" | "DEEP_ARCHIVE";
  readonly lockMode: LockMode;
  /** `alias/…` of a KMS key in the archive's own account and region.
   * @default SSE-S3: what is archived is encrypted before it is sent, and must not hang on another account's key */
  readonly keyAlias?: string;
  /** A bucket of the role `log` in the same account and region.
   * @default accesses are not written down here */
  readonly logBucket?: string;
  /** ARN patterns of roles of another account that write to the archive and read it.
   * @default none: roles of the same account need no more than their own policy */
  readonly writers?: readonly string[];
  /** ARN patterns of who may delete versions and bypass GOVERNANCE, of the archive's own account: whoever can take
   * away the backups must not be able to take away the archive too.
   * @default nobody */
  readonly breakGlass?: readonly string[];
}

export type ArchiveVaultArgs = GlacierVaultArgs | S3ArchiveArgs;

/** AWS's own notice of 2025: facts F1. */
const closed = "Glacier vaults are closed to accounts that had none by 2025-12-15: there AWS refuses this one. Such an account takes the kind s3, in a Glacier storage class (in plan/blackroad.ts: s3-glacier).";
const events = ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"];
const planKinds = { "glacier-vault": "glacier-vault", s3: "s3-glacier" } as const satisfies Record<ArchiveVaultArgs["kind"], Backend["kind"]>;

/**
 * The year of weekly archives, in cold storage, where a restore begins with hours of waiting (facts F2): for the
 * retention, never what a tier's time to recover rests on. An archive is billed for 90 days, in DEEP_ARCHIVE 180,
 * whatever happens to it.
 */
export class ArchiveVault extends Component {
  readonly kind: ArchiveVaultArgs["kind"];
  readonly region: string;
  /** `glacier://REGION/VAULT` or `s3://BUCKET`. */
  readonly uri: string;
  /** Of the vault's notices that a retrieval is ready; a bucket has none, S3 says it by its own events. */
  readonly topicArn: pulumi.Output<string> | undefined;

  constructor(name: string, args: ArchiveVaultArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`ArchiveVault ${name}`, problemsOf(args));
    super("storage", "ArchiveVault", name, args, options);
    const { backend, retention } = archiveOf(args.plan);
    this.kind = args.kind;
    this.region = backend.region;
    this.uri = args.kind === "s3" ? `s3://${backend.bucket}` : `glacier://${backend.region}/${backend.bucket}`;
    this.topicArn = args.kind === "s3" ? undefined : this.#vault(name, args, backend);
    if (args.kind === "s3") this.#bucket(name, args, backend, retention);
    this.registerOutputs({ kind: this.kind, region: this.region, uri: this.uri, role: "archive", retention, immutableFor: backend.immutableFor });
  }

  #vault(name: string, args: GlacierVaultArgs, backend: Backend): pulumi.Output<string> {
    const { region, bucket: vault } = backend;
    const input = { accountId: args.accountId, region, vault, lockDays: wholeDays(backend.immutableFor), foreignWriters: args.writers ?? [] };
    const kept = dataOptions(this, args.lifetime);
    void pulumi.log.warn(closed, this);
    // SNS's own policy lets the topic's account publish, and the vault does so as its account. A notice names a job and
    // no content; AWS's key for SNS would keep the vault from sending it.
    const topic = new aws.sns.Topic(`${name}-notices`, { region, name: `${vault}-notices` }, { parent: this });
    const tags = { plan: args.plan.name, role: "archive" };
    const made = new aws.glacier.Vault(`${name}-vault`, { region, name: vault, accessPolicy: JSON.stringify(vaultAccessPolicy(input)), notification: { snsTopic: topic.arn, events }, tags }, kept);
    if (args.lifetime === "kept") {
      // Completed, it cannot be deleted: `destroy` may then leave it behind.
      new aws.glacier.VaultLock(`${name}-lock`, { region, vaultName: made.name, completeLock: args.completeLock, policy: JSON.stringify(vaultLockPolicy(input)), ignoreDeletionError: args.completeLock }, kept);
    }
    return topic.arn;
  }

  #bucket(name: string, args: S3ArchiveArgs, backend: Backend, retention: Duration): void {
    const { plan, accountId, lifetime, lockMode, storageClass = "GLACIER", keyAlias, logBucket, writers = [], breakGlass = [] } = args;
    const { bucket, region } = backend;
    const keyArn = keyAlias === undefined ? {} : { keyArn: aliasArn(region, accountId, keyAlias) };
    guardedBucket(this, name, {
      bucket,
      region,
      lifetime,
      lock: { mode: lockMode, days: wholeDays(backend.immutableFor) },
      ...keyArn,
      policy: bucketPolicy({ bucket, accountId, ...keyArn, breakGlass, longestLockDays: longestRetentionDays(plan), foreignWriters: writers }),
      rules: archiveLifecycle(plan, retention, storageClass),
      ...(logBucket === undefined ? {} : { logBucket }),
      tags: { plan: plan.name, role: "archive" },
    });
  }
}

/**
 * The plan's archive, and how long what lies there is kept.
 * @throws RangeError where the plan has none or keeps it for ever, which `problemsOf` refuses first
 */
function archiveOf(plan: Plan): { readonly backend: Backend; readonly retention: Duration } {
  const backend = backendOf(plan, "archive");
  const retention = scheduleOf(plan, "archive")?.retention;
  if (backend === undefined || retention === undefined || retention === "forever") throw new RangeError(`the plan ${plan.name} has no archive of a length`);
  return { backend, retention };
}

function problemsOf(args: ArchiveVaultArgs): readonly (string | undefined | false)[] {
  const { plan, accountId, kind, writers = [] } = args;
  const backend = backendOf(plan, "archive");
  if (backend === undefined) return ["plan: it has no backend of the name archive"];
  return [
    accountProblem(accountId),
    backend.kind !== planKinds[kind] && `kind: ${kind}, but the plan's archive is a ${backend.kind}, which jobs and prices go by; make them agree (in plan/blackroad.ts: ${planKinds[kind]})`,
    !plan.regions.some(({ name }) => name === backend.region) && `plan: the archive's region ${backend.region} is none of the plan's`,
    backend.region === plan.regions.find(({ role }) => role === "primary")?.name && `plan: the archive is in the primary region ${backend.region} and would be lost with it`,
    ...retentionProblems(plan, backend),
    ...writers.map((pattern) => foreignProblem(pattern, accountId)),
    ...(kind === "s3" ? bucketProblems(args, backend) : vaultProblems(args, backend)),
  ];
}

function retentionProblems(plan: Plan, backend: Backend): readonly string[] {
  const retention = scheduleOf(plan, "archive")?.retention;
  if (retention === undefined || retention === "forever") return [`plan: the schedule archive keeps what it makes ${retention ?? "for no time"}; expected a length of time`];
  const { immutableFor } = backend;
  return [
    ...(retention < plan.recovery.window ? [`plan: archives are kept for ${formatDuration(retention)}, less than the recovery window of ${formatDuration(plan.recovery.window)}`] : []),
    ...(immutableFor > retention ? [`plan: the archive is locked for ${formatDuration(immutableFor)}, longer than the ${formatDuration(retention)} that it is kept`] : []),
    ...(immutableFor < days(1) || immutableFor % days(1) !== 0 ? [`plan: the archive is locked for ${formatDuration(immutableFor)}; locks count whole days, at least one`] : []),
  ];
}

/** Roles of the account itself need no policy of the archive, so one here is a mistake in the account's number. */
function foreignProblem(pattern: string, accountId: string): string | undefined {
  const account = pattern.split(":")[4] ?? "";
  if (account === accountId) return `writers: ${JSON.stringify(pattern)} is of the archive's own account, which needs no more than its own policy`;
  return principalProblem("writers", pattern, /^\d{12}$/.test(account) ? account : accountId);
}

function vaultProblems({ completeLock, lifetime }: GlacierVaultArgs, { bucket }: Backend): readonly (string | false)[] {
  return [
    !/^[A-Za-z0-9._-]{1,255}$/.test(bucket) && `plan: ${JSON.stringify(bucket)} is no name of a vault: letters, digits, ".", "_", "-"`,
    completeLock && lifetime === "ephemeral" && "completeLock: true in a drill, whose vault could then never be emptied",
  ];
}

function bucketProblems({ plan, accountId, lifetime, lockMode, keyAlias, logBucket, breakGlass = [] }: S3ArchiveArgs, { bucket, region }: Backend): readonly (string | undefined | false)[] {
  const expected = accessLogBucket(plan, region);
  return [
    bucketNameProblem("plan", bucket),
    keyAlias === undefined ? undefined : aliasProblem(keyAlias),
    lockMode === "COMPLIANCE" && lifetime === "ephemeral" && "lockMode: COMPLIANCE in a drill, which could then not be torn down",
    logBucket !== undefined && logBucket !== expected && `logBucket: ${JSON.stringify(logBucket)} is not the one of ${region}, ${JSON.stringify(expected)}; S3 logs within a region only`,
    ...breakGlass.map((pattern) => principalProblem("breakGlass", pattern, accountId)),
  ];
}
