import type { Plan } from "../../../plan/types.ts";
import type { S3BackendConfig } from "../../config.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { ObjectBucket } from "./bucket.ts";
import type { ObjectsConfig } from "./config.ts";

export const objectsSchedule = "objects-sync";
/** As the catalog's records say. */
export const store = "objects";
export const kind = "sync";

/** The backend that the plan has the objects copied to; R2 holds the originals. */
export function objectsBackend(plan: Plan): string {
  const copy = plan.stores.find(({ name }) => name === "objects")?.copies.find((one) => one.kind === "backup" && one.schedule === objectsSchedule);
  if (copy?.kind !== "backup") throw new DrError({ kind: "usage", what: "the plan copies the objects to no backend", where: "plan.stores", todo: "Give the store `objects` a copy by the schedule `objects-sync`." });
  return copy.backend;
}

export function objectsOf({ config }: RunContext): ObjectsConfig {
  if (config.objects !== undefined) return config.objects;
  throw new DrError({ kind: "usage", what: "the configuration does not say where the objects are", where: "objects", todo: "Add `objects` with `endpoint`, `bucket` and `credentialsFile`." });
}

export function targetConfig({ config, plan }: RunContext): S3BackendConfig {
  const name = objectsBackend(plan);
  const backend = config.backends.find((one) => one.name === name);
  if (backend?.kind === "s3") return backend;
  throw new DrError({ kind: "usage", what: backend === undefined ? `the configuration has no backend ${name}, which the plan has the objects copied to` : `the backend ${name} is a folder, and objects are copied to a bucket`, where: "backends", todo: `Name an S3 bucket as backend ${name}.` });
}

/** The services' bucket; `write` with the account that may, and `bucket` for another than the configured one. */
export function openSource(objects: ObjectsConfig, { write = false, bucket = objects.bucket }: { readonly write?: boolean; readonly bucket?: string | undefined } = {}): Promise<ObjectBucket> {
  const { endpoint, region, prefix, caFile, credentialsFile, recoveryCredentialsFile } = objects;
  return ObjectBucket.open({ kind: "s3", name: "the objects' bucket", endpoint, region, bucket, prefix, credentialsFile: write ? (recoveryCredentialsFile ?? credentialsFile) : credentialsFile, ...(caFile === undefined ? {} : { caFile }) });
}

export const openTarget = (context: RunContext): Promise<ObjectBucket> => ObjectBucket.open(targetConfig(context));
