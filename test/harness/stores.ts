import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issue, makeAuthority, type Authority } from "../../drill/environments/certificates.ts";
import { startS3Server, type S3Server } from "../../drill/environments/servers/s3.ts";
import type { FolderBackendConfig, S3BackendConfig } from "../../runner/config.ts";
import { FolderBackend } from "../../runner/storage/folder.ts";
import { S3Backend } from "../../runner/storage/s3.ts";

/** Real S3 servers over TLS and folders for tests, in a directory of their own; `close` stops and removes them all. */
export class Stores {
  readonly folder: string;
  readonly authority: Authority;
  readonly #servers: S3Server[] = [];

  private constructor(folder: string, authority: Authority) {
    this.folder = folder;
    this.authority = authority;
  }

  static async open(): Promise<Stores> {
    const folder = await mkdtemp(join(tmpdir(), "stores-"));
    return new Stores(folder, await makeAuthority(join(folder, "ca")));
  }

  async s3(name: string, options: { readonly port?: number; readonly folder?: string; readonly versioned?: boolean; readonly clean?: string } = {}): Promise<S3Server> {
    const certificate = await issue(this.authority, { name, hosts: ["localhost", "127.0.0.1"] });
    const server = await startS3Server({ folder: options.folder ?? join(this.folder, name), port: options.port ?? 0, certificate, bucket: `bucket-${name}`, logFile: join(this.folder, `${name}.log`), ...(options.versioned === undefined ? {} : { versioned: options.versioned }), ...(options.clean === undefined ? {} : { clean: options.clean }) });
    this.#servers.push(server);
    return server;
  }

  async folderBackend(name: string): Promise<FolderBackend> {
    const path = join(this.folder, `folder-${name}`);
    await mkdir(path, { recursive: true });
    return new FolderBackend({ kind: "folder", name, path });
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

export const s3Config = (server: S3Server, changes: Partial<S3BackendConfig> = {}): S3BackendConfig => ({
  kind: "s3", name: server.bucket.replace("bucket-", ""), endpoint: server.endpoint, region: server.region, bucket: server.bucket, prefix: "",
  caFile: server.caFile, credentialsFile: server.writerCredentialsFile, ...changes,
});

export const s3Backend = (server: S3Server, changes: Partial<S3BackendConfig> = {}): Promise<S3Backend> => S3Backend.open(s3Config(server, changes));

export const folderConfig = (name: string, path: string): FolderBackendConfig => ({ kind: "folder", name, path });
