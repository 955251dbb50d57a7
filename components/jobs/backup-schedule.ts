import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { DrConfiguration } from "../../plan/config/dr-json.ts";
import { regionOf } from "../../plan/find.ts";
import { serversOf, writtenBackends } from "../../plan/identity-needs.ts";
import { identityOf, type IdentityName } from "../../plan/identities.ts";
import { intervalOf } from "../../plan/schedule.ts";
import type { Plan, Schedule } from "../../plan/types.ts";
import { days, minutes } from "../../plan/units.ts";
import { Component, refuse } from "../component.ts";
import { imageProblem } from "../kubernetes/image.ts";
import { labelsOf } from "../kubernetes/pod.ts";
import { topologyProblems, type Topology } from "../topology.ts";
import { configMap, identityLabels, networkPolicy, podOf, serviceAccount, speaksToKubernetes, type DrContainer, type IdentityPlace } from "./identity-pod.ts";
import { manifestReader } from "./manifest-reader.ts";
import { reachProblems, type Notifications, type ObjectsSource, type ObjectStores, type RegionServers } from "./reach.ts";
import { cronJobName, scheduleProblems, startingDeadlineOf } from "./schedule-problems.ts";

export interface BackupScheduleArgs {
  readonly plan: Plan;
  /** The jobs' own region by the plan's name, e.g. `us-east-1`. Declare the jobs in each region that has servers. */
  readonly region: string;
  /** Says in which namespace of the region's cluster the jobs run. */
  readonly topology: Topology;
  /** With `dr` and every tool that it calls; `REGISTRY/NAME@sha256:DIGEST`. */
  readonly image: string;
  /** The region's own. The jobs of a store that is left out are not declared. */
  readonly servers: RegionServers;
  /** Of every backend that jobs write to (kinds `r2` and `s3`). */
  readonly objectStores: ObjectStores;
  /** What is kept of the configuration besides the cluster's manifests. Absent, and `servers.kubernetes` too: nothing is
   * kept, and the job is not declared. */
  readonly configuration?: DrConfiguration;
  /** The services' bucket. Absent: no object is copied, and the job is not declared. */
  readonly objects?: ObjectsSource;
  /** Who is told of failed backups at once. Default: nobody; the alerts tell what is missing. */
  readonly notifications?: Notifications;
  /** ARN of each identity's IAM role in this region; annotates the service accounts for EKS's web identity. Absent where
   * the cluster is not EKS: credentials then come from elsewhere. */
  readonly roleArns?: Readonly<Partial<Record<IdentityName, pulumi.Input<string>>>>;
  /** Class of the volume that a verification restores into: 1.5 times PostgreSQL's expected size, for the hours that it
   * runs (about 0.11 USD an hour for 1 TiB of gp3). Default: the cluster's default class. */
  readonly storageClass?: string;
  /** Declares the jobs and starts none: while a recovery runs, or before the stores are there. Nothing is backed up
   * meanwhile, and the alerts fire. Default: false. */
  readonly suspended?: boolean;
}

/**
 * One CronJob for each schedule of the plan, in one region. The same jobs run in every region; each works only where the
 * server that it asks is its store's leader, so backups go on after a failover without anybody.
 */
export class BackupSchedule extends Component {
  /** The CronJobs' names by their schedules. */
  readonly jobs: ReadonlyMap<string, string>;
  /** Schedules without a job, as the region has no such store. */
  readonly leftOut: readonly string[];

  constructor(name: string, args: BackupScheduleArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`BackupSchedule ${name}`, problemsOf(args));
    super("jobs", "BackupSchedule", name, { region: args.region, image: args.image, suspended: args.suspended ?? false }, options);
    const namespace = namespaceOf(args);
    const schedules = args.plan.schedules.filter((schedule) => hasServers(schedule, args));
    const identities = [...new Set(schedules.map((schedule) => identityOf(schedule.name).name))];
    const place = (identity: IdentityName): IdentityPlace => ({ ...args, identity, namespace });
    const priority = this.priority(name, namespace);

    for (const identity of identities) this.declareIdentity(name, place(identity), args.roleArns?.[identity]);
    for (const schedule of schedules) this.declareJob(name, schedule, place(identityOf(schedule.name).name), priority, args.suspended ?? false);

    this.jobs = new Map(schedules.map((schedule) => [schedule.name, cronJobName(schedule)]));
    this.leftOut = args.plan.schedules.filter((schedule) => !schedules.includes(schedule)).map(({ name: schedule }) => schedule);
    this.registerOutputs({ region: args.region, namespace, suspended: args.suspended ?? false, rpo: args.plan.system.rpo, leftOut: this.leftOut, schedules: schedules.map(reported) });
  }

  /** First in the queue when a full cluster gets room, and nobody is evicted for it: agents are what backups are for. */
  private priority(name: string, namespace: string): k8s.scheduling.v1.PriorityClass {
    return new k8s.scheduling.v1.PriorityClass(
      `${name}-priority`,
      // A priority class belongs to the cluster: the namespace keeps two regions of one test cluster apart.
      { metadata: { name: `${namespace}-backup`, labels: labelsOf("dr", "priority") }, value: 100_000, globalDefault: false, preemptionPolicy: "Never", description: "Backups: before ordinary work in the queue, and never in its place." },
      { parent: this },
    );
  }

  private declareIdentity(name: string, place: IdentityPlace, roleArn: pulumi.Input<string> | undefined): void {
    const { identity } = place;
    serviceAccount(`${name}-${identity}-account`, place, roleArn, { parent: this });
    if (speaksToKubernetes(place)) manifestReader(name, place, { parent: this });
    configMap(`${name}-${identity}-config`, place, { parent: this });
    networkPolicy(`${name}-${identity}-network`, place, [], { parent: this });
  }

  private declareJob(name: string, schedule: Schedule, place: IdentityPlace, priority: k8s.scheduling.v1.PriorityClass, suspended: boolean): void {
    const labels = { ...identityLabels(place.identity), "blackroad.dr/schedule": schedule.name };
    const pod = podOf(place, { command: schedule.command, ...roomOf(place.identity) });
    new k8s.batch.v1.CronJob(
      `${name}-${schedule.name}`,
      {
        metadata: { name: cronJobName(schedule), namespace: place.namespace, labels },
        spec: {
          schedule: schedule.cron,
          timeZone: "Etc/UTC",
          concurrencyPolicy: "Forbid",
          startingDeadlineSeconds: startingDeadlineOf(schedule),
          suspend: suspended,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 3,
          jobTemplate: {
            metadata: { labels },
            spec: {
              activeDeadlineSeconds: Math.floor(schedule.deadline),
              backoffLimit: isFrequent(schedule) ? 0 : 2,
              podFailurePolicy: failurePolicy,
              ttlSecondsAfterFinished: keptFinished,
              template: { metadata: { labels }, spec: { ...pod, restartPolicy: "Never", terminationGracePeriodSeconds: tearDown, priorityClassName: priority.metadata.name } },
            },
          },
        },
      },
      { parent: this },
    );
  }
}

/** What is tried again by its next run sooner than it is worth a second attempt. */
const isFrequent = (schedule: Schedule): boolean => intervalOf(schedule) <= minutes(20);
/** For their logs, over a weekend. What became of a run is in the catalog (facts F13). */
const keptFinished = days(2);
/** Seconds for `dr` to undo what it began, from the signal to the kill. */
const tearDown = 60;

/** Of `dr` (runner/errors.ts): a wrong request, part of it done, refused. Another attempt would end the same, or make
 * the copies that stand a second time. */
export const finalExitCodes: readonly number[] = [2, 3, 4];
const failurePolicy = {
  rules: [
    // An evicted pod is no failed backup: it is tried again.
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    { action: "FailJob", onExitCodes: { containerName: "dr", operator: "In", values: [...finalExitCodes] } },
  ],
};

/** Memory is bounded by what is on its way, not by the data; these start servers of their own or run pgBackRest's
 * processes in parallel. */
const heavy: ReadonlySet<IdentityName> = new Set(["all", "postgres", "verify", "archive"]);
const roomOf = (identity: IdentityName): Pick<DrContainer, "cpu" | "memory"> =>
  heavy.has(identity) ? { cpu: { requested: "500m", most: "2" }, memory: { requested: "512Mi", most: "2Gi" } } : { cpu: { requested: "100m", most: "1" }, memory: { requested: "256Mi", most: "768Mi" } };

/** `all` backs up what there is; anything else has nothing to do without its server. */
function hasServers(schedule: Schedule, { servers, configuration, objects }: Pick<BackupScheduleArgs, "servers" | "configuration" | "objects">): boolean {
  const { name } = identityOf(schedule.name);
  if (name === "all") return true;
  if (name === "objects") return objects !== undefined;
  const absent = { vault: servers.vault === undefined, vectors: servers.vectors === undefined, prometheus: servers.prometheus?.data === undefined, kubernetes: servers.kubernetes === undefined && configuration === undefined, postgres: false, pgbackrest: false, redis: false };
  return serversOf(name).every((server) => !absent[server]);
}

const reported = (schedule: Schedule) => ({ name: schedule.name, job: cronJobName(schedule), cron: schedule.cron, interval: intervalOf(schedule), deadline: schedule.deadline, retention: schedule.retention, identity: identityOf(schedule.name).name, keeps: schedule.keeps });

const namespaceOf = ({ topology, region }: Pick<BackupScheduleArgs, "topology" | "region">): string => {
  const place = topology.places.find((one) => one.region === region);
  if (place === undefined) throw new RangeError(`the topology has no place for ${region}`);
  return place.namespace;
};

function problemsOf({ plan, region, topology, image, servers, objectStores, objects, notifications }: BackupScheduleArgs): readonly (string | undefined | false)[] {
  const role = regionOf(plan, region)?.role;
  return [
    role === undefined && `region: ${region} is no region of the plan`,
    role === "witness" && `region: ${region} is the witness and has no server to back up`,
    ...topologyProblems(plan, topology),
    imageProblem(image),
    ...scheduleProblems(plan),
    servers.prometheus?.data !== undefined && servers.prometheus.namespace !== topology.places.find((one) => one.region === region)?.namespace && `servers.prometheus: its claim ${servers.prometheus.data.claim} is in ${servers.prometheus.namespace}, and a pod mounts claims of its own namespace alone`,
    ...reachProblems(servers, objectStores, writtenBackends(plan).map(({ name }) => name), { ...(objects === undefined ? {} : { objects }), ...(notifications === undefined ? {} : { notifications }) }),
  ];
}
