import type { ObjectStores } from "../../components/jobs/reach.ts";
import type { Backend, Plan } from "../../plan/types.ts";

interface Accounts {
  readonly r2: { readonly accountId: string; readonly jurisdiction: string };
}

/** The host of a backend's S3 interface. */
export function endpointOf({ kind, region }: Pick<Backend, "kind" | "region">, { r2 }: Accounts): string {
  if (kind !== "r2") return `s3.${region}.amazonaws.com`;
  return `${r2.accountId}.${r2.jurisdiction === "default" ? "" : `${r2.jurisdiction}.`}r2.cloudflarestorage.com`;
}

/** Every backend that jobs write to, as they reach it. */
export const objectStores = (plan: Plan, accounts: Accounts): ObjectStores =>
  Object.fromEntries(plan.backends.filter(({ kind }) => kind === "r2" || kind === "s3").map((backend) => [backend.name, { endpoint: endpointOf(backend, accounts) }]));
