import { join } from "node:path";
import { issue, makeAuthority } from "../../drill/environments/certificates.ts";
import { startS3Server, type S3Server } from "../../drill/environments/servers/s3.ts";
import type { BackendConfig } from "../../runner/config.ts";
import { makeFolder } from "../../runner/system/files.ts";
import { lookUpProgram } from "../../runner/system/programs.ts";

/** Whether this machine has the S3 server; tests that need it are skipped, and counted, where it has not. */
export const s3Installed = (await lookUpProgram("versitygw")) !== undefined;

export interface TestS3 {
  readonly server: S3Server;
  readonly backend: BackendConfig;
}

/** Two real S3 servers over TLS that stand for R2 and for S3, each with its own credentials. */
export async function startTestS3(folder: string): Promise<{ readonly r2: TestS3; readonly s3: TestS3; kill(): Promise<void> }> {
  await makeFolder(folder, { mode: 0o755 });
  const certificate = await issue(await makeAuthority(join(folder, "ca")), { name: "s3", hosts: ["localhost", "127.0.0.1"] });
  const start = async (name: "r2" | "s3"): Promise<TestS3> => {
    const server = await startS3Server({ folder: join(folder, name), port: 0, certificate, bucket: `backups-${name}`, logFile: join(folder, `${name}.log`) });
    const { endpoint, region, bucket, caFile, writerCredentialsFile } = server;
    return { server, backend: { kind: "s3", name, endpoint, region, bucket, prefix: "", caFile, credentialsFile: writerCredentialsFile } };
  };
  const r2 = await start("r2");
  const s3 = await start("s3").catch(async (error: unknown) => {
    await r2.server.kill();
    throw error;
  });
  return { r2, s3, kill: () => Promise.all([r2.server.kill(), s3.server.kill()]).then(() => undefined) };
}
