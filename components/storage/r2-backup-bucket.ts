import * as cloudflare from "@pulumi/cloudflare";
import type * as pulumi from "@pulumi/pulumi";
import { backendOf } from "../../plan/find.ts";
import { prefixesOf } from "../../plan/layout.ts";
import type { Backend, BackendName, Continent, Plan } from "../../plan/types.ts";
import { adopt } from "../adopt.ts";
import { Component, dataOptions, refuse, type Lifetime } from "../component.ts";
import type { R2Access, R2Place } from "./r2-access.ts";
import { lifecycleRules, lockProblems, lockRules } from "./r2-rules.ts";
import { accessOf, r2Token, type R2Permission } from "./r2-token.ts";

export type R2LocationHint = "apac" | "eeur" | "enam" | "weur" | "wnam" | "oc";
export type R2Jurisdiction = "default" | "eu" | "fedramp" | "us";

/** One generation of the bucket's tokens. */
export interface R2TokenTerm {
  /** Names the generation, e.g. `2026-11`; a new label makes new tokens. */
  readonly label: string;
  /** When Cloudflare stops accepting them, in UTC to the second, e.g. `2027-02-28T00:00:00Z`. Never computed from now:
   * every `up` would differ. */
  readonly expiresOn: string;
}

export interface R2BackupBucketArgs {
  /** Gives the bucket's name, its prefixes, and how long each is locked and kept. */
  readonly plan: Plan;
  /** Cloudflare's account: 32 hexadecimal digits. */
  readonly accountId: string;
  /** Which of the plan's backends of kind `r2` this is. USD 0.015 a GB and month, and nothing for reading it out. */
  readonly backend: BackendName;
  /**
   * Where Cloudflare is asked to keep it; honoured at the first creation of a name only, and never guaranteed.
   * @default the west of the backend's continent: "weur" in Europe
   */
  readonly locationHint?: R2LocationHint;
  /** Where it is guaranteed to stay; part of the endpoint's name and of the bucket's identity, so never changed. @default "default" */
  readonly jurisdiction?: R2Jurisdiction;
  /** To rotate: the old `current` becomes `previous` and both work; once every reader has the new one, `previous` goes. */
  readonly tokens: { readonly current: R2TokenTerm; readonly previous?: R2TokenTerm };
  /**
   * Take over the bucket that exists, where the state does not remember it (`bucketRemembered`, `bucketExists`). Not
   * where it does: the engine knows a bucket that it made itself by another id than the one that it imports by, and
   * would hold it to be another one.
   * @default false
   */
  readonly adopt?: boolean;
  /** `kept`: protected, retained, locked. `ephemeral`, in a drill: none of it, as what is locked cannot be deleted with
   * the stack. */
  readonly lifetime: Lifetime;
}

const west: Readonly<Record<Continent, R2LocationHint>> = { europe: "weur", "north-america": "wnam" };
const continentOf: Readonly<Partial<Record<R2LocationHint | R2Jurisdiction, Continent>>> = { eeur: "europe", weur: "europe", eu: "europe", enam: "north-america", wnam: "north-america", us: "north-america", fedramp: "north-america" };

/** The bucket at Cloudflare: what it locks, what it expires, and two tokens that open it. It has no public domain. */
export class R2BackupBucket extends Component implements R2Place {
  /** From the plan, hence known at preview. */
  readonly bucketName: string;
  readonly endpoint: string;
  /** Reads, writes and (R2 knows no less) deletes what no rule locks. */
  readonly writer: R2Access;
  /** Lists and reads. */
  readonly reader: R2Access;

  constructor(name: string, args: R2BackupBucketArgs, options?: pulumi.ComponentResourceOptions) {
    const backend = checked(name, args);
    // What was done once is no part of what is declared: the next `up` would see a change.
    super("storage", "R2BackupBucket", name, { ...args, adopt: undefined }, options);
    const { plan, accountId, tokens, lifetime, jurisdiction = "default" } = args;
    this.bucketName = backend.bucket;
    this.endpoint = `https://${accountId}${jurisdiction === "default" ? "" : `.${jurisdiction}`}.r2.cloudflarestorage.com`;

    const bucket = this.bucket(name, args, backend, jurisdiction);
    const place = { accountId, bucketName: bucket.name, jurisdiction };
    const child = { parent: this, dependsOn: [bucket] };
    // Cloudflare's own default, said so that a policy sees it and an `up` takes back what somebody opened.
    new cloudflare.R2ManagedDomain(`${name}-public-domain`, { ...place, enabled: false }, child);
    // Other rules replace the resource, which `protect` would refuse; `retainOnDelete` keeps the old one's end off the new rules.
    if (lifetime === "kept") new cloudflare.R2BucketLock(`${name}-lock`, { ...place, rules: lockRules(plan, backend) }, { ...child, retainOnDelete: true });
    new cloudflare.R2BucketLifecycle(`${name}-lifecycle`, { ...place, rules: lifecycleRules(plan, backend) }, { ...child, ...(lifetime === "kept" ? { retainOnDelete: true } : {}) });

    const access = (permission: R2Permission, { label, expiresOn }: R2TokenTerm): R2Access =>
      accessOf(r2Token(`${name}-${permission}-${label}`, { accountId, bucket: backend.bucket, jurisdiction, permission, title: `${backend.bucket}-${permission}-${label}`, expiresOn }, child));
    this.writer = access("writer", tokens.current);
    this.reader = access("reader", tokens.current);
    if (tokens.previous !== undefined) {
      access("writer", tokens.previous);
      access("reader", tokens.previous);
    }
    this.registerOutputs({
      backend: backend.name, bucket: this.bucketName, provider: backend.provider, continent: backend.continent, region: backend.region, endpoint: this.endpoint,
      immutableFor: lifetime === "kept" ? backend.immutableFor : 0, locks: Object.fromEntries(prefixesOf(plan, backend).map(({ prefix, lock }) => [prefix, lock])),
      tokensExpireOn: tokens.current.expiresOn, lifetime,
    });
  }

  /** A hint that drifts must not replace the bucket, which would be to delete it. */
  private bucket(name: string, { accountId, locationHint, adopt: adopted, lifetime }: R2BackupBucketArgs, backend: Backend, jurisdiction: R2Jurisdiction): cloudflare.R2Bucket {
    return new cloudflare.R2Bucket(
      `${name}-bucket`,
      { accountId, name: backend.bucket, location: locationHint ?? west[backend.continent], jurisdiction },
      adopt({ ...dataOptions(this, lifetime), ignoreChanges: ["location"] }, adopted === true ? `${accountId}/${backend.bucket}/${jurisdiction}` : undefined),
    );
  }
}

/** Everything that is wrong with the arguments, or the backend that they name. */
function checked(name: string, { plan, accountId, backend: backendName, locationHint, jurisdiction, tokens }: R2BackupBucketArgs): Backend {
  const backend = backendOf(plan, backendName);
  const elsewhere = (field: string, place: R2LocationHint | R2Jurisdiction | undefined): string | false => {
    const continent = place === undefined ? undefined : continentOf[place];
    return backend !== undefined && continent !== undefined && continent !== backend.continent && `${field}: ${String(place)} lies in ${continent}, and the plan's copy in ${backendName} counts on ${backend.continent}`;
  };
  refuse(`R2BackupBucket ${name}`, [
    backend === undefined && `backend: the plan has no backend ${JSON.stringify(backendName)}; it has ${plan.backends.map((one) => one.name).join(", ")}`,
    backend !== undefined && backend.kind !== "r2" && `backend: ${backendName} is of kind ${backend.kind}, not r2`,
    !/^[0-9a-f]{32}$/.test(accountId) && `accountId: ${JSON.stringify(accountId)} is not 32 hexadecimal digits`,
    elsewhere("locationHint", locationHint),
    elsewhere("jurisdiction", jurisdiction),
    ...(backend === undefined ? [] : lockProblems(prefixesOf(plan, backend))),
    ...termProblems("tokens.current", tokens.current),
    ...(tokens.previous === undefined ? [] : [...termProblems("tokens.previous", tokens.previous), ...orderProblems(tokens.current, tokens.previous)]),
  ]);
  if (backend === undefined) throw new RangeError(`the plan has no backend ${backendName}`);
  return backend;
}

const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && new Date(text).toJSON() === text.replace("Z", ".000Z");

const termProblems = (field: string, { label, expiresOn }: R2TokenTerm): readonly (string | false)[] => [
  !/^[a-z0-9][a-z0-9-]{0,31}$/.test(label) && `${field}.label: ${JSON.stringify(label)} is not 1 to 32 of a-z, 0-9 and -, e.g. "2026-11"`,
  !isTime(expiresOn) && `${field}.expiresOn: ${JSON.stringify(expiresOn)} is not a time in UTC to the second, e.g. "2027-02-28T00:00:00Z"`,
];

const orderProblems = (current: R2TokenTerm, previous: R2TokenTerm): readonly (string | false)[] => [
  current.label === previous.label && `tokens: current and previous have the label ${JSON.stringify(current.label)}; a new generation needs a new one`,
  isTime(current.expiresOn) && isTime(previous.expiresOn) && previous.expiresOn >= current.expiresOn && `tokens: previous expires on ${previous.expiresOn}, not before current, on ${current.expiresOn}`,
];
