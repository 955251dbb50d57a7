import type * as pulumi from "@pulumi/pulumi";

/** What opens an R2 bucket through its S3 protocol; every field is a secret. */
export interface R2Access {
  /** The token's id. */
  readonly accessKeyId: pulumi.Output<string>;
  /** SHA-256 of the token's value, in hexadecimal. */
  readonly secretAccessKey: pulumi.Output<string>;
  /** Both as a file of AWS's shared credentials format, profile `default`: what jobs and pods read. */
  readonly file: pulumi.Output<string>;
}

/** An R2 bucket as others need it: where it is, and what opens it. */
export interface R2Place {
  readonly bucketName: string;
  /** `https://ACCOUNT.r2.cloudflarestorage.com`; with a jurisdiction `https://ACCOUNT.JURISDICTION.r2.…`. */
  readonly endpoint: string;
  readonly writer: R2Access;
  readonly reader: R2Access;
}
