import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { formatDuration, minutes, type Duration } from "../../plan/units.ts";
import { accountProblem, aliasArn, aliasProblem, bucketArn } from "../aws/arn.ts";
import { Component, refuse } from "../component.ts";
import { bucketNameProblem } from "./bucket-names.ts";
import { replicationPolicy, replicationTrust } from "./replication-policy.ts";
import { replicationRoleName, replicationsOf } from "./replication-role.ts";

/** A bucket by its name: an `S3BackupBucket`, or one of another stack, whose name is in plan/names.ts. */
export interface BucketPlace {
  readonly bucketName: string;
  /** E.g. `us-west-2`. */
  readonly region: string;
}

export interface CrossRegionReplicationArgs {
  /** Says what is copied where, and the bound that it must keep: its copies of the kind `replicated-bucket`. */
  readonly plan: Plan;
  readonly source: BucketPlace;
  readonly destination: BucketPlace;
  /** The AWS account of both buckets: twelve digits. */
  readonly accountId: string;
  /** `alias/…` of the multi-region key that both buckets use, each in its own region. */
  readonly keyAlias: string;
  /** `ready` of the source's and, where it is of the same stack, the destination's bucket: S3 refuses replication
   * between buckets without versioning. */
  readonly ready: readonly pulumi.Resource[];
  /** SNS topics that alarms go to: an alarm is in the region of its metric, and its topic must be there too. Ten cents
   * a month and alarm.
   * @default none: the alarms show in CloudWatch alone */
  readonly alarmTopics?: { readonly source?: readonly pulumi.Input<string>[]; readonly destination?: readonly pulumi.Input<string>[] };
}

/** S3 Replication Time Control has this one value, for which AWS answers (99.9 % of a month's objects). */
const timeControl = minutes(15);

/**
 * S3's replication of a backup bucket to another region. Inter-region transfer, replication time control and the
 * storage over there cost what `dr plan` says. Objects that were there before are not copied: those are S3 Batch
 * Replication's.
 */
export class CrossRegionReplication extends Component {
  /** The role that S3 takes on; the key's policy must let it decrypt and encrypt. */
  readonly roleName: string;

  constructor(name: string, args: CrossRegionReplicationArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`CrossRegionReplication ${name}`, problemsOf(args));
    super("storage", "CrossRegionReplication", name, args, options);
    const { plan, source, destination } = args;
    const bound = boundOf(args);
    this.roleName = replicationRoleName(plan);
    const role = this.#role(name, args);
    const rule = `to-${destination.region}`;
    const permission = this.#permission(name, args, role);
    const configuration = this.#configuration(name, args, role, rule, permission);
    this.#alarms(name, args, rule, bound, configuration);
    this.registerOutputs({ source: place(source), destination: place(destination), rpo: bound, deleteMarkers: false, role: this.roleName });
  }

  #role(name: string, args: CrossRegionReplicationArgs): aws.iam.Role {
    const description = `S3 replicates ${args.source.bucketName} to ${args.destination.region}`;
    return new aws.iam.Role(`${name}-role`, { name: this.roleName, description, assumeRolePolicy: JSON.stringify(replicationTrust(policyInput(args))), tags: { plan: args.plan.name } }, { parent: this });
  }

  #permission(name: string, args: CrossRegionReplicationArgs, role: aws.iam.Role): aws.iam.RolePolicy {
    return new aws.iam.RolePolicy(`${name}-permission`, { name: "replicate", role: role.name, policy: JSON.stringify(replicationPolicy(policyInput(args))) }, { parent: this });
  }

  #configuration(name: string, args: CrossRegionReplicationArgs, role: aws.iam.Role, rule: string, permission: pulumi.Resource): aws.s3.BucketReplicationConfig {
    return new aws.s3.BucketReplicationConfig(
      `${name}-rule`,
      { region: args.source.region, bucket: args.source.bucketName, role: role.arn, rules: [ruleOf(args, rule)] },
      { parent: this, dependsOn: [...args.ready, permission] },
    );
  }

  /** S3 publishes what waits where it is waited for, and what failed where it failed. */
  #alarms(name: string, args: CrossRegionReplicationArgs, rule: string, bound: Duration, configuration: pulumi.Resource): void {
    const { source, destination, alarmTopics } = args;
    const dimensions = { SourceBucket: source.bucketName, DestinationBucket: destination.bucketName, RuleId: rule };
    for (const { metric, where, threshold, ...rest } of alarmsOf(bound)) {
      const actions = [...(alarmTopics?.[where] ?? [])];
      new aws.cloudwatch.MetricAlarm(
        `${name}-${metric}`,
        {
          ...rest,
          region: where === "source" ? source.region : destination.region,
          name: `${source.bucketName}-${metric}`,
          alarmDescription: `${rest.alarmDescription} (${source.bucketName} to ${destination.region})`,
          namespace: "AWS/S3",
          metricName: metric,
          dimensions,
          comparisonOperator: "GreaterThanThreshold",
          threshold,
          alarmActions: actions,
          okActions: actions,
        },
        { parent: this, dependsOn: [configuration] },
      );
    }
  }
}

interface AlarmSpec {
  readonly metric: string;
  readonly where: "source" | "destination";
  readonly threshold: number;
  readonly statistic: string;
  /** Seconds. */
  readonly period: number;
  readonly evaluationPeriods: number;
  readonly treatMissingData: "breaching" | "notBreaching";
  readonly alarmDescription: string;
}

const alarmsOf = (bound: Duration): readonly AlarmSpec[] => [
  {
    metric: "ReplicationLatency",
    where: "destination",
    threshold: bound,
    statistic: "Maximum",
    period: minutes(5),
    evaluationPeriods: Math.ceil(bound / minutes(5)),
    // S3 goes on publishing it while nothing replicates; without a replica's bucket it stops.
    treatMissingData: "breaching",
    alarmDescription: `The replica is further behind than the ${formatDuration(bound)} that the plan promises, or nothing is heard of it`,
  },
  {
    metric: "OperationsPendingReplication",
    where: "destination",
    threshold: 0,
    statistic: "Minimum",
    period: bound,
    evaluationPeriods: 2,
    treatMissingData: "notBreaching",
    alarmDescription: `The queue of replication was not empty once in ${formatDuration(2 * bound)}`,
  },
  {
    metric: "OperationsFailedReplication",
    where: "source",
    threshold: 0,
    statistic: "Sum",
    period: minutes(5),
    evaluationPeriods: 1,
    treatMissingData: "notBreaching",
    alarmDescription: "S3 gave up on replicating something, which is missing in the replica until Batch Replication copies it",
  },
];

const place = ({ bucketName, region }: BucketPlace) => ({ bucket: bucketName, region });
const policyInput = ({ accountId, source, destination, keyAlias }: CrossRegionReplicationArgs) => ({ accountId, source: place(source), destination: place(destination), keyAlias });

/** Everything in the bucket, as KMS-encrypted objects are replicated only where a rule says so. */
const ruleOf = ({ accountId, destination, keyAlias }: CrossRegionReplicationArgs, id: string): aws.types.input.s3.BucketReplicationConfigRule => ({
  id,
  status: "Enabled",
  priority: 1,
  filter: { prefix: "" },
  // A thief's deletions would come along.
  deleteMarkerReplication: { status: "Disabled" },
  sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
  destination: {
    bucket: bucketArn(destination.bucketName),
    // S3 takes a key's ARN or its alias's; the alias is known before the key is, and in every region.
    encryptionConfiguration: { replicaKmsKeyId: aliasArn(destination.region, accountId, keyAlias) },
    metrics: { status: "Enabled", eventThreshold: { minutes: timeControl / minutes(1) } },
    replicationTime: { status: "Enabled", time: { minutes: timeControl / minutes(1) } },
  },
});

const planned = ({ plan, source, destination }: CrossRegionReplicationArgs) => replicationsOf(plan).find((one) => one.source.bucket === source.bucketName && one.destination.region === destination.region);

/** How far behind the plan lets the replica be. @throws RangeError where the plan has none, which is refused first */
function boundOf(args: CrossRegionReplicationArgs): Duration {
  const found = planned(args);
  if (found === undefined) throw new RangeError(`the plan replicates no ${args.source.bucketName} to ${args.destination.region}`);
  return found.bound;
}

function problemsOf(args: CrossRegionReplicationArgs): readonly (string | undefined | false)[] {
  const { plan, source, destination, accountId, keyAlias, ready } = args;
  const found = planned(args);
  return [
    bucketNameProblem("source", source.bucketName),
    bucketNameProblem("destination", destination.bucketName),
    accountProblem(accountId),
    aliasProblem(keyAlias),
    source.bucketName === destination.bucketName && `destination: ${destination.bucketName} is the source itself`,
    source.region === destination.region && `destination: ${destination.region} is the source's own region; both copies would be lost with it`,
    ...[source, destination].map(({ region }, index) => !plan.regions.some(({ name }) => name === region) && `${index === 0 ? "source" : "destination"}: ${region} is no region of the plan`),
    found === undefined && `plan: no copy of the kind replicated-bucket says that ${source.bucketName} is copied to ${destination.region}`,
    found !== undefined && found.source.region !== source.region && `source: the plan has ${source.bucketName} in ${found.source.region}, not in ${source.region}`,
    found !== undefined && found.destination.bucket !== destination.bucketName && `destination: other regions look for the replica at ${JSON.stringify(found.destination.bucket)}, not at ${JSON.stringify(destination.bucketName)}`,
    found !== undefined && found.bound < timeControl && `plan: it promises a replica within ${formatDuration(found.bound)}; S3 Replication Time Control knows ${formatDuration(timeControl)} alone`,
    ready.length === 0 && "ready: empty; S3 refuses replication from a bucket whose versioning is not on yet",
  ];
}
