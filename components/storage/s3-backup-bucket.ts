import type * as pulumi from "@pulumi/pulumi";
import { accessLogBucket } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { days, formatDuration } from "../../plan/units.ts";
import { accountProblem, aliasArn, aliasProblem, bucketArn, principalProblem } from "../aws/arn.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import { lifecycleProblems, lockOfBucket } from "./bucket-lifecycle.ts";
import { bucketNameProblem } from "./bucket-names.ts";
import { backendOfRole, expectedPlace, lifecycleOf, lockDays, policyOfRole, type BucketRole } from "./bucket-role.ts";
import { guardedBucket, type LockMode } from "./guarded-bucket.ts";

export type { BucketRole } from "./bucket-role.ts";
export type { LockMode } from "./guarded-bucket.ts";

export interface S3BackupBucketArgs {
  /** Gives locks, retentions, prefixes and names. */
  readonly plan: Plan;
  /** The bucket's name, which is one of the plan's: other regions address it by that (see plan/names.ts). */
  readonly bucket: string;
  /** Where it lies, e.g. `us-west-2`; where the plan says where its role lies, that. */
  readonly region: string;
  /** The AWS account that owns it: twelve digits. */
  readonly accountId: string;
  readonly role: BucketRole;
  /** For `backup` and `replica`, which cannot be without; refused for `log` and `state`. Danger: COMPLIANCE cannot be
   * undone, and what is locked is paid for until it ends. */
  readonly lockMode?: LockMode;
  /** `alias/…` of the KMS key in the bucket's region and account; for every role but `log`. */
  readonly keyAlias?: string;
  /** Where accesses are written down: the bucket of the role `log` in the same region; for every role but `log`. Where
   * it is of the same stack, name it in `options.dependsOn`. */
  readonly logBucket?: string;
  /**
   * ARN patterns of who may delete versions and bypass GOVERNANCE locks, when a court or a mistake asks for it.
   * Danger: whoever gets hold of one of them can delete backups.
   * @default nobody
   */
  readonly breakGlass?: readonly string[];
  /** `kept`: protected and retained. `ephemeral`, in a drill: emptied and deleted with the stack. */
  readonly lifetime: Lifetime;
}

/**
 * An S3 bucket for backups, their replica, access logs or Pulumi's state. Versions and Object Lock cost storage: what
 * is overwritten or deleted is billed for its lock (see `dr plan`).
 */
export class S3BackupBucket extends Component {
  readonly bucketName: string;
  /** From the name, hence known at preview. */
  readonly arn: string;
  readonly region: string;
  /** What must be there before replication is configured: versioning, lock, encryption, policy. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: S3BackupBucketArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`S3BackupBucket ${name}`, problemsOf(args));
    super("storage", "S3BackupBucket", name, args, options);
    const { plan, bucket, region, accountId, role, lockMode, keyAlias, logBucket, breakGlass = [], lifetime } = args;
    const keyArn = keyAlias === undefined ? undefined : aliasArn(region, accountId, keyAlias);
    const locked = lockDays(plan, role);
    this.bucketName = bucket;
    this.arn = bucketArn(bucket);
    this.region = region;
    this.ready = guardedBucket(this, name, {
      bucket,
      region,
      lifetime,
      ...(locked === undefined || lockMode === undefined ? {} : { lock: { mode: lockMode, days: locked } }),
      ...(keyArn === undefined ? {} : { keyArn }),
      policy: policyOfRole({ plan, role, bucket, accountId, keyArn, breakGlass }),
      rules: lifecycleOf(plan, role),
      ...(logBucket === undefined ? {} : { logBucket }),
      ...(options?.dependsOn === undefined ? {} : { after: options.dependsOn }),
      tags: { plan: plan.name, role: role.kind },
    }).ready;
    this.registerOutputs({ bucket, region, role: role.kind, lock: locked === undefined ? undefined : { mode: lockMode, days: locked }, keyAlias, retention: plan.system.retention, breakGlass });
  }
}

function problemsOf(args: S3BackupBucketArgs): readonly (string | undefined | false)[] {
  const { plan, bucket, accountId, keyAlias, breakGlass = [] } = args;
  return [
    bucketNameProblem("bucket", bucket),
    accountProblem(accountId),
    ...placeProblems(args),
    ...lockProblems(args),
    ...companionProblems(args),
    keyAlias === undefined ? undefined : aliasProblem(keyAlias),
    ...breakGlass.map((pattern) => principalProblem("breakGlass", pattern, accountId)),
    ...breakGlass.filter((pattern) => pattern.includes(`/${plan.name}-dr-`)).map((pattern) => `breakGlass: ${JSON.stringify(pattern)} is a workload's, which must never take a version away`),
  ];
}

function placeProblems({ plan, role, bucket, region }: S3BackupBucketArgs): readonly string[] {
  const known = plan.regions.map(({ name }) => name);
  const expected = expectedPlace(plan, role, region);
  if (expected === undefined) return [`role: the plan has no bucket in S3 for ${JSON.stringify(role)}`];
  return [
    ...(known.includes(region) ? [] : [`region: ${region} is no region of the plan: ${known.join(", ")}`]),
    ...(expected.region === undefined || expected.region === region ? [] : [`region: ${region}, but the plan has this bucket in ${expected.region}`]),
    ...(expected.bucket === bucket ? [] : [`bucket: ${JSON.stringify(bucket)}, but other regions look for it at ${JSON.stringify(expected.bucket)}`]),
    ...(role.kind === "replica" && backendOfRole(plan, role)?.backend.region === region ? [`region: ${region} is the source's own; its replica would be lost with it`] : []),
  ];
}

function lockProblems({ plan, role, lockMode, lifetime }: S3BackupBucketArgs): readonly string[] {
  const held = backendOfRole(plan, role);
  if (role.kind === "log" || role.kind === "state") {
    const why = role.kind === "log" ? "S3 delivers access logs to no bucket with Object Lock" : "Pulumi overwrites and deletes its state";
    return lockMode === undefined ? [] : [`lockMode: ${lockMode} on a ${role.kind} bucket; ${why}`];
  }
  if (held === undefined) return [];
  const lock = lockOfBucket(held.backend, held.shortLived);
  return [
    ...(lockMode === undefined ? ["lockMode: missing; a thief of the writer's credentials could delete every backup"] : []),
    ...(lockMode === "COMPLIANCE" && lifetime === "ephemeral" ? ["lockMode: COMPLIANCE in a drill, which could then not be torn down"] : []),
    ...(lock < days(1) || lock % days(1) !== 0 ? [`role: the plan locks it for ${formatDuration(lock)}; Object Lock counts whole days, at least one`] : []),
    ...lifecycleProblems({ plan, ...held, ...(role.kind === "replica" && role.expireRepositoryAfter !== undefined ? { expireRepositoryAfter: role.expireRepositoryAfter } : {}) }),
  ];
}

/** Its key and the bucket for its logs, which every bucket has but the one for logs. */
function companionProblems({ plan, role, region, keyAlias, logBucket }: S3BackupBucketArgs): readonly string[] {
  if (role.kind === "log") {
    return [
      ...(keyAlias === undefined ? [] : ["keyAlias: S3 delivers access logs to no bucket that is encrypted with KMS; leave it out"]),
      ...(logBucket === undefined ? [] : ["logBucket: a log bucket that logs its own accesses never ends; leave it out"]),
    ];
  }
  const expected = accessLogBucket(plan, region);
  return [
    ...(keyAlias === undefined ? [`keyAlias: missing; a ${role.kind} bucket is encrypted with a key of the plan`] : []),
    ...(logBucket === undefined ? ["logBucket: missing; nobody would know who read or deleted what"] : []),
    ...(logBucket === undefined || logBucket === expected ? [] : [`logBucket: ${JSON.stringify(logBucket)} is not the one of ${region}, ${JSON.stringify(expected)}; S3 logs within a region only`]),
  ];
}
