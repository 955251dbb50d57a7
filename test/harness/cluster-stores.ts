import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectStore } from "../../components/jobs/reach.ts";
import { issue, type Authority } from "../../drill/environments/certificates.ts";
import { startS3Server, type S3Server } from "../../drill/environments/servers/s3.ts";
import type { Plan } from "../../plan/types.ts";
import { forward } from "./forward.ts";

/** This machine, as the pods of ../shared/cluster reach it. */
export const host = { name: "host.cluster.local", address: "10.244.0.1" } as const;
/** The Kubernetes secret in which pods shall find the authority of the object stores' certificate, as `ca.crt`. */
export const storeAuthority = "store-authority";

export interface ClusterStores {
  readonly servers: Readonly<Record<"r2" | "s3", S3Server>>;
  readonly access: Readonly<Record<"r2" | "s3", ObjectStore>>;
  /** In AWS's shared credentials format. */
  readonly credentials: Readonly<Record<"r2" | "s3", { readonly writer: string; readonly reader: string }>>;
  close(): Promise<void>;
}

/** Two object stores outside the cluster that stand for R2 and S3, with the plan's buckets in them. */
export async function startClusterStores(folder: string, plan: Plan, authority: Authority): Promise<ClusterStores> {
  const certificate = await issue(authority, { name: "stores", hosts: [host.name, "localhost", "127.0.0.1"] });
  const endings: (() => Promise<unknown>)[] = [];
  const close = () => Promise.all(endings.map((end) => end())).then(() => undefined);
  const start = async (name: "r2" | "s3") => {
    const backend = plan.backends.find((one) => one.name === name);
    if (backend === undefined) throw new RangeError(`the plan has no backend ${name}`);
    const server = await startS3Server({ folder: join(folder, name), port: 0, certificate, bucket: backend.bucket, region: backend.region, logFile: join(folder, `${name}.log`) });
    endings.push(() => server.kill());
    const gateway = await forward(host.address, { host: "127.0.0.1", port: server.port });
    endings.push(() => gateway.close());
    const [writer, reader] = await Promise.all([readFile(server.writerCredentialsFile, "utf8"), readFile(server.readerCredentialsFile, "utf8")]);
    return { server, credentials: { writer, reader }, access: { endpoint: `${host.name}:${gateway.port}`, peer: { kind: "addresses", cidr: `${host.address}/32` }, authority: storeAuthority } } as const;
  };
  try {
    const [r2, s3] = [await start("r2"), await start("s3")];
    return { servers: { r2: r2.server, s3: s3.server }, access: { r2: r2.access, s3: s3.access }, credentials: { r2: r2.credentials, s3: s3.credentials }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
