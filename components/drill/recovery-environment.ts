import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { secretsOfIdentity, writtenBackends } from "../../plan/identity-needs.ts";
import type { IdentityName } from "../../plan/identities.ts";
import { kubernetesSecret, secretKey } from "../../plan/names.ts";
import type { BackendName, Plan } from "../../plan/types.ts";
import { days, formatDuration, type Duration } from "../../plan/units.ts";
import { Component, refuse } from "../component.ts";
import { DrNamespace } from "../foundation/dr-namespace.ts";
import { configMap, identityLabels, networkPolicy, podOf, serviceAccount, type IdentityPlace } from "../jobs/identity-pod.ts";
import { reachProblems, type ObjectStore } from "../jobs/reach.ts";
import { imageProblem } from "../kubernetes/image.ts";
import { labelsOf } from "../kubernetes/pod.ts";
import type { IssuerRef } from "../topology.ts";
import { restoredProblems, restoreStores, type RestoredStores } from "./restored-stores.ts";

/** One backend as a drill reads it; its bucket and its region follow from the plan. */
export interface RecoveryBackend extends ObjectStore {
  /** By the plan's name. Backends that are not named are not looked at: a dead one costs minutes (facts F8). */
  readonly name: BackendName;
}

export interface RecoverySource {
  readonly backends: readonly RecoveryBackend[];
  /** Role of the identity `restore`, which reads everything and writes nothing. Absent: no S3 backend needs one. */
  readonly roleArn?: pulumi.Input<string>;
  /** Values of the secrets that a recovery reads, by their names in plan/secrets.ts; secret outputs, never plain. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
}

export interface RecoveryEnvironmentArgs {
  readonly plan: Plan;
  /** `dr-drill-YYYYMMDD-…`: the stack's and the namespace's name. */
  readonly drill: string;
  /** `REGISTRY/NAME@sha256:DIGEST`. */
  readonly image: string;
  /** How long it may live: the job is killed then, and a sweep removes the stack after `expiresAt`. At most a day. */
  readonly timeToLive: Duration;
  /** RFC 3339, UTC, from the stack's configuration: computed here from the present it would change with every `up`. */
  readonly expiresAt: string;
  readonly source: RecoverySource;
  /** What certificates of the restored servers are signed by. */
  readonly issuer: IssuerRef;
  /** Servers that come out of the backups. Default: none; the job restores into servers of its own pod. */
  readonly stores?: RestoredStores;
  /** Arguments of `dr`. Default: `verify --all`, which restores the newest backup of every store from each of the
   * source's backends, starts it and queries it. */
  readonly command?: readonly string[];
  /** Class of the volume that the job restores into, for as long as it runs. Default: the cluster's. */
  readonly storageClass?: string;
}

const identity: IdentityName = "restore";
const longestLife = days(1);
export const expiryAnnotation = "dr.blackroad/expires-at";
export const drillLabel = "dr.blackroad/drill";

/**
 * An isolated environment in which production's backups are restored and validated, gone without a trace after it: a
 * namespace of its own, credentials that only read, a way out to the backups alone, nothing protected.
 */
export class RecoveryEnvironment extends Component {
  readonly namespace: string;
  /** Of the Job that recovers and validates. `up` waits for its end, and fails with it. */
  readonly job: string;

  constructor(name: string, args: RecoveryEnvironmentArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`RecoveryEnvironment ${name}`, problems(args));
    const { drill, image, timeToLive, expiresAt, source } = args;
    const backends = source.backends.map((backend) => backend.name);
    super("drill", "RecoveryEnvironment", name, { drill, image, timeToLive, expiresAt, backends }, options); // no secret
    this.namespace = drill;
    this.job = `${drill}-recover`;
    const place = placeOf(args);
    const space = this.space(name, args);
    const inside = { parent: this, dependsOn: [space] };
    const secrets = this.secrets(name, args, inside);
    const access = [...secrets, serviceAccount(`${name}-account`, place, source.roleArn, inside), configMap(`${name}-config`, place, inside), networkPolicy(`${name}-network`, place, [], inside)];
    const stores = restoreStores(name, { ...args, identity, namespace: drill }, { parent: this, dependsOn: [space, ...access] });
    this.recovery(name, args, place, [space, ...access, ...stores]);
    this.registerOutputs({ namespace: drill, job: this.job, expiresAt, timeToLive, backends, stores: Object.keys(args.stores?.servers ?? {}), access: "restorer", lifetime: "ephemeral" });
  }

  private space(name: string, { drill, expiresAt }: RecoveryEnvironmentArgs): DrNamespace {
    return new DrNamespace(`${name}-space`, { namespace: drill, lifetime: "ephemeral", labels: { [drillLabel]: drill }, annotations: { [expiryAnnotation]: expiresAt } }, { parent: this });
  }

  private secrets(name: string, { drill, source }: RecoveryEnvironmentArgs, options: pulumi.CustomResourceOptions): readonly pulumi.Resource[] {
    return Object.entries(source.secrets).map(
      ([secret, value]) =>
        new k8s.core.v1.Secret(
          `${name}-${secret}`,
          { metadata: { name: kubernetesSecret(secret), namespace: drill, labels: labelsOf("dr", secret) }, type: "Opaque", immutable: true, stringData: { [secretKey]: pulumi.secret(value) } },
          { ...options, deleteBeforeReplace: true },
        ),
    );
  }

  private recovery(name: string, args: RecoveryEnvironmentArgs, place: IdentityPlace, after: readonly pulumi.Resource[]): void {
    const { drill, timeToLive, command = ["verify", "--all"] } = args;
    const labels = { ...identityLabels(identity), [drillLabel]: drill };
    const pod = podOf(place, { command: ["--json", ...command], cpu: { requested: "500m", most: "2" }, memory: { requested: "512Mi", most: "2Gi" } });
    new k8s.batch.v1.Job(
      `${name}-recover`,
      {
        metadata: { name: this.job, namespace: drill, labels },
        spec: {
          backoffLimit: 0, // what failed once is what the drill is to find
          activeDeadlineSeconds: timeToLive,
          ttlSecondsAfterFinished: timeToLive,
          template: { metadata: { labels }, spec: { ...pod, restartPolicy: "Never" } },
        },
      },
      // The engine awaits the Job's end, for ten minutes unless it is told otherwise.
      { parent: this, dependsOn: [...after], customTimeouts: { create: `${timeToLive}s` } },
    );
  }
}

const placeOf = ({ plan, drill, image, source, storageClass }: RecoveryEnvironmentArgs): IdentityPlace => ({
  plan,
  identity,
  namespace: drill,
  image,
  servers: {},
  objectStores: Object.fromEntries(source.backends.map(({ name, ...store }) => [name, store])),
  ...(storageClass === undefined ? {} : { storageClass }),
});

/** Leaves room for `-recover` in a name that becomes a label: 63 characters. */
const drillName = /^dr-drill-\d{8}(-[a-z0-9]{1,20})?$/;

function problems(args: RecoveryEnvironmentArgs): readonly (string | undefined | false)[] {
  const { plan, drill, image, timeToLive, source, command, stores } = args;
  const names = source.backends.map(({ name }) => name);
  const readable = writtenBackends(plan).map(({ name }) => name);
  const needed = secretsOfIdentity(plan, identity);
  return [
    !drillName.test(drill) && `drill: ${JSON.stringify(drill)} must be dr-drill-YYYYMMDD-…, so that a sweep knows it`,
    imageProblem(image),
    timeToLive < 60 && `timeToLive: ${formatDuration(timeToLive)} is less than a minute`,
    timeToLive > longestLife && `timeToLive: ${formatDuration(timeToLive)} is more than ${formatDuration(longestLife)}; what lives longer is no drill`,
    expiryProblem(args),
    names.length === 0 && "source.backends: none is named; there is nothing to recover from",
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `source.backends: ${name} is named twice`),
    ...names.filter((name) => !readable.includes(name)).map((name) => `source.backends: ${name} holds nothing that a job wrote; there are ${readable.join(", ")}`),
    ...reachProblems({}, placeOf(args).objectStores, []),
    ...needed.filter((secret) => source.secrets[secret] === undefined).map((secret) => `source.secrets: ${secret} is missing; a recovery reads it`),
    command?.length === 0 && "command: it is empty; leave it out for the default",
    ...(stores === undefined ? [] : restoredProblems(stores, { plan, backends: names })),
  ];
}

/** Of the day in the drill's name: a date of another year is a slip that would keep it for ever, or sweep it at once. */
function expiryProblem({ drill, expiresAt, timeToLive }: RecoveryEnvironmentArgs): string | false {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(expiresAt) || Number.isNaN(Date.parse(expiresAt))) return `expiresAt: ${JSON.stringify(expiresAt)} is no time like 2026-11-22T21:00:00Z`;
  const day = Date.parse(drill.replace(/^dr-drill-(\d{4})(\d{2})(\d{2}).*$/, "$1-$2-$3T00:00:00Z"));
  const latest = day + (days(1) + timeToLive) * 1_000;
  return Date.parse(expiresAt) > latest && `expiresAt: ${expiresAt} is more than ${formatDuration(timeToLive)} after the day of ${drill}`;
}
