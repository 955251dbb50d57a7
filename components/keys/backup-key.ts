import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { keyAlias, stateBucket } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { accountProblem, aliasProblem, patternsMeet, principalProblem, workloadProblem } from "../aws/arn.ts";
import { adopt } from "../adopt.ts";
import { Component, dataOptions, refuse, type Lifetime } from "../component.ts";
import type { ExistingKey } from "./existing-keys.ts";
import { keyPolicy } from "./key-policy.ts";
import { keyHome, keyResources } from "./key-resources.ts";

/** Who may do what with a customer-managed key of the plan. */
export interface BackupKeyArgs {
  /** Gives the regions, the key's names, and the prefix of every role's name. */
  readonly plan: Plan;
  /** One of `plan.keys`, e.g. `backups`. */
  readonly key: string;
  /** The AWS account that owns the key: twelve digits. */
  readonly accountId: string;
  /**
   * ARN patterns of those who manage the key and may delete it, e.g. `arn:aws:iam::111122223333:role/KeyAdministrator`.
   * Whoever runs `pulumi up` must be among them: KMS refuses a policy that its author could not change again.
   * Danger: none of them may also match a workload, which is refused.
   */
  readonly administrators: readonly string[];
  /**
   * ARN patterns of the roles that write with the key; `*` only behind the plan's name, e.g.
   * `arn:aws:iam::111122223333:role/blackroad-dr-postgres-*`. Outside S3 they cannot decrypt.
   */
  readonly encrypters: readonly string[];
  /** ARN patterns, likewise, of the roles that read with the key. */
  readonly decrypters: readonly string[];
  /** From `findExistingKeys`: what exists and the state does not remember is taken over instead of made anew. Nothing
   * else may stand in it, as the state knows keys by other ids than they are imported by. @default none */
  readonly existing?: ExistingKey | undefined;
  /** `kept`: protected and retained. `ephemeral`, in a drill: deleted with the stack, after the deletion window. */
  readonly lifetime: Lifetime;
}

/** In which a deletion can be taken back: the most that KMS allows, and in a drill the least. */
const deletionWindowInDays = { kept: 30, ephemeral: 7 } as const;
/** KMS refuses a longer one. */
const longestPolicy = 32_768;

/**
 * A multi-region KMS key. Its primary is in the plan's secondary region, outside the primary one, and every other
 * region has a replica, so that what one region encrypted another can read when the first is gone. One dollar a month
 * and region, and another for each of the first two rotations.
 */
export class BackupKey extends Component {
  /** `alias/…`, the same in every region. */
  readonly alias: string;
  /** The key's own ARN, by region. */
  readonly arns: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: BackupKeyArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`BackupKey ${name}`, problemsOf(args));
    // What was found once is no part of what is declared: the next `up` would see a change.
    super("keys", "BackupKey", name, { ...args, existing: undefined }, options);
    const { home, others } = regionsOf(args.plan);
    const policy = JSON.stringify(policyOf(args));
    const primary = this.#primary(name, args, home, policy);
    const replicas = others.map((region) => [region, this.#replica(name, args, region, policy, primary)] as const);
    this.alias = keyAlias(args.plan, args.key);
    this.arns = Object.fromEntries([[home, primary.arn], ...replicas.map(([region, replica]) => [region, replica.arn] as const)]);
    for (const [region, key] of [[home, primary] as const, ...replicas]) this.#alias(name, args, region, key);
    this.registerOutputs({ alias: this.alias, primaryRegion: home, regions: [home, ...others], deletionWindowInDays: deletionWindowInDays[args.lifetime], administrators: args.administrators });
  }

  #primary(name: string, args: BackupKeyArgs, region: string, policy: string): aws.kms.Key {
    return new aws.kms.Key(
      keyResources(args.plan, name, region).key.name,
      { region, description: describe(args), multiRegion: true, enableKeyRotation: true, deletionWindowInDays: deletionWindowInDays[args.lifetime], policy, tags: tagsOf(args) },
      this.#options(args, region, args.existing?.get(region)?.key),
    );
  }

  /** Rotation is the primary's and is shared; policy, tags and window are each replica's own. */
  #replica(name: string, args: BackupKeyArgs, region: string, policy: string, primary: aws.kms.Key): aws.kms.ReplicaKey {
    return new aws.kms.ReplicaKey(
      keyResources(args.plan, name, region).key.name,
      { region, description: describe(args), primaryKeyArn: primary.arn, deletionWindowInDays: deletionWindowInDays[args.lifetime], policy, tags: tagsOf(args) },
      this.#options(args, region, args.existing?.get(region)?.key),
    );
  }

  /** What everybody addresses the key by: lost with it is the way to every backup, so it is kept like the key. */
  #alias(name: string, args: BackupKeyArgs, region: string, key: aws.kms.Key | aws.kms.ReplicaKey): aws.kms.Alias {
    return new aws.kms.Alias(keyResources(args.plan, name, region).alias.name, { region, name: this.alias, targetKeyId: key.keyId }, this.#options(args, region, args.existing?.get(region)?.alias));
  }

  #options({ lifetime }: BackupKeyArgs, region: string, existing: string | undefined): pulumi.CustomResourceOptions {
    return adopt(dataOptions(this, lifetime), existing === undefined ? undefined : `${existing}@${region}`);
  }
}

const describe = ({ plan, key }: BackupKeyArgs): string => `${plan.name}: ${key}`;
const tagsOf = ({ plan, key }: BackupKeyArgs): Record<string, string> => ({ plan: plan.name, key });
const policyOf = ({ plan, accountId, administrators, encrypters, decrypters }: BackupKeyArgs) => keyPolicy({ accountId, regions: plan.regions.map(({ name }) => name), administrators, encrypters, decrypters, stateBucket: stateBucket(plan) });

/**
 * The primary's region, and those of the replicas.
 * @throws RangeError where there is no secondary one, which `problemsOf` refuses first
 */
function regionsOf(plan: Plan): { readonly home: string; readonly others: readonly string[] } {
  const home = keyHome(plan);
  if (home === undefined) throw new RangeError(`the plan ${plan.name} has no secondary region`);
  return { home, others: plan.regions.map(({ name }) => name).filter((name) => name !== home) };
}

function problemsOf(args: BackupKeyArgs): readonly (string | undefined | false)[] {
  const { plan, key, accountId, administrators, encrypters, decrypters } = args;
  const workloads = [...new Set([...encrypters, ...decrypters])];
  return [
    !plan.keys.includes(key) && `key: ${JSON.stringify(key)} is none of the plan's keys: ${plan.keys.join(", ")}`,
    aliasProblem(keyAlias(plan, key)),
    ...regionProblems(plan),
    accountProblem(accountId),
    administrators.length === 0 && "administrators: nobody is named; KMS refuses a key that nobody could manage",
    encrypters.length === 0 && "encrypters: nobody is named, so nothing could be written with the key",
    decrypters.length === 0 && "decrypters: nobody is named, so nothing could be restored",
    ...administrators.map((pattern) => principalProblem("administrators", pattern, accountId)),
    ...encrypters.map((pattern) => workloadProblem("encrypters", pattern, accountId, plan)),
    ...decrypters.map((pattern) => workloadProblem("decrypters", pattern, accountId, plan)),
    ...administrators.flatMap((administrator) => workloads.filter((workload) => patternsMeet(administrator, workload)).map((workload) => `administrators: ${JSON.stringify(administrator)} may be the workload ${JSON.stringify(workload)}, which then could delete the key`)),
    JSON.stringify(policyOf(args)).length > longestPolicy && `administrators, encrypters, decrypters: the policy is longer than KMS takes, ${longestPolicy} characters; write patterns`,
  ];
}

function regionProblems(plan: Plan): readonly string[] {
  const names = plan.regions.map(({ name }) => name);
  const home = plan.regions.find(({ role }) => role === "secondary")?.name;
  const primary = plan.regions.find(({ role }) => role === "primary")?.name;
  return [
    ...(home === undefined ? ["plan.regions: none is secondary; the key's primary would be lost with the primary region"] : []),
    ...(home !== undefined && home === primary ? [`plan.regions: ${home} is both primary and secondary; the key would be lost with it`] : []),
    ...[...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map((name) => `plan.regions: ${name} is there twice; a key has one replica a region`),
  ];
}
