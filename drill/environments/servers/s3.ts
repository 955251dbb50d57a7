import type { OsUser, Server } from "../../../runner/system/process.ts";
import type { Certificate } from "../certificates.ts";

export interface S3ServerOptions {
  /** Everything of the server: data, accounts, credentials files. */
  readonly folder: string;
  /** On 127.0.0.1; 0: a free one. */
  readonly port: number;
  /** For `localhost` and `127.0.0.1`. */
  readonly certificate: Certificate;
  readonly bucket: string;
  readonly logFile: string;
  readonly region?: string;
  readonly user?: OsUser | undefined;
}

/** An S3 server over TLS with one bucket, a writer and a reader whose writes are refused. */
export interface S3Server {
  readonly server: Server;
  /** `localhost:PORT`. */
  readonly endpoint: string;
  readonly port: number;
  readonly bucket: string;
  readonly region: string;
  readonly caFile: string;
  /** AWS's shared credentials format, profile `default`, 0600. */
  readonly writerCredentialsFile: string;
  readonly readerCredentialsFile: string;
  /** Where the reader goes; the same as `endpoint` where one gateway serves both. */
  readonly readerEndpoint: string;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  return Promise.reject(new Error(`not built yet: ${options.bucket}`));
}
