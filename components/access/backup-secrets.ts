import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { escrowPrefix } from "../../plan/layout.ts";
import { backupsKey, keyAlias, secretPath } from "../../plan/names.ts";
import { r2Secret, secretRegions, secretsOf, type SecretSpec } from "../../plan/secrets.ts";
import type { Plan } from "../../plan/types.ts";
import { adopt } from "../adopt.ts";
import { Component, dataOptions, refuse, type Lifetime } from "../component.ts";
import type { R2Place } from "../storage/r2-access.ts";
import { escrowText, readRecipients, recipientProblems, seal, sealedWhat, type EscrowedSecret, type Recipient } from "./escrow.ts";
import type { ExistingSecrets } from "./existing-secrets.ts";

export interface BackupSecretsArgs {
  /** Gives the secrets, their names, and the regions: the original is in the secondary one. */
  readonly plan: Plan;
  /** The bucket that the escrow is kept in, and whose tokens are the `r2-…` secrets. */
  readonly r2: R2Place;
  /**
   * Armoured OpenPGP public keys of people who keep the private half offline; at least two. Another recipient, or one
   * less, seals the escrow anew; what was sealed before stays, and stays open to whom it was sealed.
   */
  readonly recipients: readonly string[];
  /** From `findExistingSecrets(plan)`, awaited before: an `up` after a lost state adopts them. */
  readonly existing: ExistingSecrets;
  /** `kept`: protected and retained, and 30 days to take a deletion back. `ephemeral`: gone at once. */
  readonly lifetime: Lifetime;
}

interface HeldSecret extends SecretSpec {
  /** Secret. */
  readonly value: pulumi.Output<string>;
}

/** Letters and digits alone: at home in every configuration file and address. 48 of them are 285 bits. */
const length = 48;
/** R2 takes it for its own `auto`, which AWS's provider knows to be no region of AWS. */
const regionForR2 = "us-east-1";
/** In which a deletion can be taken back: the most that Secrets Manager allows. */
const recoveryWindowInDays = { kept: 30, ephemeral: 0 } as const;

/**
 * Every secret of the plan in Secrets Manager, with a replica in each other region, and what must survive AWS, the state
 * and the people in escrow in R2. A value that exists is never overwritten: not by a new random one, not after a lost
 * state. USD 0.40 a secret, region and month.
 */
export class BackupSecrets extends Component {
  /** Names in Secrets Manager by the plan's names; the same in every region. */
  readonly paths: ReadonlyMap<string, string>;
  /** The values, secret, by the plan's names. */
  readonly values: ReadonlyMap<string, pulumi.Output<string>>;
  /** Where in the R2 bucket the escrow of the present values lies. */
  readonly escrowKey: pulumi.Output<string>;

  constructor(name: string, args: BackupSecretsArgs, options?: pulumi.ComponentResourceOptions) {
    const { plan, r2, recipients, existing, lifetime } = args;
    const specs = secretsOf(plan);
    refuse(`BackupSecrets ${name}`, problemsOf(args, specs));
    // Without `existing` and `r2`: what is secret need not stand in the component's own state as well.
    super("access", "BackupSecrets", name, { plan, recipients, lifetime }, options);

    const held = specs.map((spec): HeldSecret => ({ ...spec, value: this.value(name, spec, r2, existing, lifetime) }));
    // Pulumi hands a component's `dependsOn` to none of its children, and Secrets Manager takes no key that is not there yet.
    const after = options?.dependsOn === undefined ? {} : { dependsOn: options.dependsOn };
    for (const secret of held) this.keep(name, plan, secret, existing.get(secret.name)?.arn, { ...dataOptions(this, lifetime), ...after }, lifetime);
    this.paths = new Map(held.map((secret) => [secret.name, secretPath(plan, secret.name)]));
    this.values = new Map(held.map((secret) => [secret.name, secret.value]));
    this.escrowKey = this.escrow(name, args, held.filter(({ kind }) => kind === "passphrase"));
    const { home, replicas } = secretRegions(plan);
    this.registerOutputs({ region: home, replicas, secrets: [...this.paths.values()], escrowKey: this.escrowKey, recipients: recipients.length, lifetime });
  }

  /** What exists, or else what is new. The random one is declared in both cases, or the next `up` would take it away. */
  private value(name: string, { name: secret, kind }: SecretSpec, r2: R2Place, existing: ExistingSecrets, lifetime: Lifetime): pulumi.Output<string> {
    const credentials = credentialsOf(r2).get(secret);
    if (kind === "credentials" && credentials !== undefined) return pulumi.secret(credentials);
    const fresh = new random.RandomPassword(`${name}-${secret}-random`, { length, special: false }, dataOptions(this, lifetime));
    return pulumi.secret(existing.get(secret)?.value ?? fresh.result);
  }

  private keep(name: string, plan: Plan, { name: secret, kind, opens, value }: HeldSecret, existing: string | undefined, options: pulumi.CustomResourceOptions, lifetime: Lifetime): void {
    const { home, replicas } = secretRegions(plan);
    const kmsKeyId = keyAlias(plan, backupsKey);
    const entry = new aws.secretsmanager.Secret(
      `${name}-${secret}`,
      {
        region: home, name: secretPath(plan, secret), description: `opens ${opens}`, kmsKeyId, recoveryWindowInDays: recoveryWindowInDays[lifetime],
        replicas: replicas.map((region) => ({ region, kmsKeyId })),
      },
      adopt(options, existing),
    );
    new aws.secretsmanager.SecretVersion(
      `${name}-${secret}-value`,
      { region: home, secretId: entry.id, secretString: value },
      // A token's successor takes its place; everything else stays what it is, whatever this program computes.
      kind === "credentials" ? { parent: this } : { ...dataOptions(this, lifetime), ignoreChanges: ["secretString"] },
    );
  }

  /** Sealing is never twice the same: a new message is made where the text or the recipients changed, and not before. */
  private escrow(name: string, { plan, r2, recipients, lifetime }: BackupSecretsArgs, passphrases: readonly HeldSecret[]): pulumi.Output<string> {
    const readers = readRecipients(recipients).then(warnOfExpired);
    const fingerprints = pulumi.output(readers.then((who) => who.map(({ fingerprint }) => fingerprint))); // fails a preview too, whose values are not known yet
    const plain = pulumi.secret(pulumi.all(passphrases.map(({ name: secret, opens, value }) => value.apply((text): EscrowedSecret => ({ name: secret, opens, value: text })))));
    const text = plain.apply((secrets) => escrowText(plan, secrets));
    const sealing = pulumi.all([text, fingerprints]);
    // A name of its own for each sealing: after a lost state the old one is there still, locked, and is not overwritten.
    const id = new random.RandomId(`${name}-escrow-id`, { byteLength: 8, keepers: { sealed: sealing.apply(([sealed, who]) => sealedWhat(sealed, who)) } }, { parent: this });
    const key = pulumi.interpolate`${escrowPrefix}${id.hex}.asc`;
    new aws.s3.BucketObjectv2(
      `${name}-escrow`,
      { bucket: r2.bucketName, key, content: sealing.apply(async ([sealed]) => seal(sealed, await readers)), contentType: "application/pgp-encrypted" },
      // Not protected, as a new sealing replaces it; the old one stays in the bucket.
      { parent: this, provider: this.r2Provider(name, r2), ignoreChanges: ["content"], ...(lifetime === "kept" ? { retainOnDelete: true } : {}) },
    );
    return key;
  }

  /** Cloudflare's own provider writes no objects; R2 speaks S3. */
  private r2Provider(name: string, { endpoint, writer }: R2Place): aws.Provider {
    return new aws.Provider(
      `${name}-r2`,
      {
        region: regionForR2, accessKey: writer.accessKeyId, secretKey: writer.secretAccessKey, endpoints: [{ s3: endpoint }], s3UsePathStyle: true,
        // What only AWS has.
        skipCredentialsValidation: true, skipMetadataApiCheck: true, skipRequestingAccountId: true,
      },
      { parent: this },
    );
  }
}

const credentialsOf = ({ writer, reader }: R2Place): ReadonlyMap<string, pulumi.Output<string>> => new Map([[r2Secret("writer"), writer.file], [r2Secret("reader"), reader.file]]);

function warnOfExpired(recipients: readonly Recipient[]): readonly Recipient[] {
  for (const { name, fingerprint, ends } of recipients) if (ends < Date.now()) void pulumi.log.warn(`the escrow's recipient ${name} (${fingerprint}) expired on ${new Date(ends).toISOString()}; it is sealed to all the same`);
  return recipients;
}

const problemsOf = ({ plan, r2, recipients }: BackupSecretsArgs, specs: readonly SecretSpec[]): readonly (string | false)[] => [
  !plan.regions.some(({ role }) => role === "secondary") && "plan.regions: none is secondary; the secrets would be lost with the primary region",
  !plan.keys.includes(backupsKey) && `plan.keys: there is no ${backupsKey}, which encrypts the secrets`,
  ...specs.filter(({ name, kind }) => kind === "credentials" && !credentialsOf(r2).has(name)).map(({ name }) => `r2: nothing gives the credentials ${name}`),
  ...recipientProblems(recipients),
];
