import type * as pulumi from "@pulumi/pulumi";
import type { BackendName, Plan } from "../../plan/types.ts";
import type { Duration } from "../../plan/units.ts";
import { Component, refuse } from "../component.ts";
import type { IssuerRef } from "../topology.ts";

/** One backend as a drill reads it. */
export interface RecoveryBackend {
  /** By the plan's name; the bucket and the region come from the plan. */
  readonly name: BackendName;
  /** Host of its S3 interface, with its port where it is not 443, e.g. `s3.us-west-2.amazonaws.com`. */
  readonly endpoint: string;
  /** Addresses behind the endpoint, as CIDRs. Default: every public address, and no private one. */
  readonly addresses?: readonly string[];
}

export interface RecoverySource {
  readonly backends: readonly RecoveryBackend[];
  /** Role of the identity `restore`, which reads everything and writes nothing. Absent: no S3 backend needs one (a
   * cluster without workload identity). */
  readonly roleArn?: pulumi.Input<string>;
  /** Values of the secrets that a recovery reads, by their names in plan/secrets.ts; secret outputs, never plain. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
}

export interface RecoveryEnvironmentArgs {
  readonly plan: Plan;
  /** `dr-drill-YYYYMMDD-xxxx`: the stack's and the namespace's name. */
  readonly drill: string;
  /** `REGISTRY/NAME@sha256:DIGEST`. */
  readonly image: string;
  /** How long it may live; a sweep removes it after `expiresAt`. At most a day. */
  readonly timeToLive: Duration;
  /** RFC 3339, UTC, from the stack's configuration: computed here from the present it would change with every `up`. */
  readonly expiresAt: string;
  readonly source: RecoverySource;
  /** What certificates of the restored servers are signed by. */
  readonly issuer: IssuerRef;
  /** Arguments of `dr`, after `--config FILE --json`. Default: `recover full`. */
  readonly command?: readonly string[];
}

/** An isolated environment in which production's backups are restored and validated; gone without a trace after it. */
export class RecoveryEnvironment extends Component {
  readonly namespace: string;
  /** Of the Job that recovers and validates. */
  readonly job: string;

  constructor(name: string, args: RecoveryEnvironmentArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`RecoveryEnvironment ${name}`, []);
    super("drill", "RecoveryEnvironment", name, args, options);
    this.namespace = args.drill;
    this.job = `${args.drill}-recover`;
    this.registerOutputs({ namespace: this.namespace, job: this.job, expiresAt: args.expiresAt });
  }
}
