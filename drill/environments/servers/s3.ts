import { randomBytes } from "node:crypto";
import { writeFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Agent } from "node:https";
import { readFile } from "node:fs/promises";
import { DrError } from "../../../runner/errors.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { startServer, type OsUser, type Server } from "../../../runner/system/process.ts";
import { findProgram } from "../../../runner/system/programs.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import type { Certificate } from "../certificates.ts";

/** Seconds until the server must answer. */
const startDeadline = 20;

export interface S3ServerOptions {
  /** Everything of the server: data, accounts, credentials files. Made where it is missing. */
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

/** An S3 server over TLS with one bucket, an account that writes, and one whose writes are refused. */
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
  /** Where the reader goes: the same gateway, whose bucket policy tells the two accounts apart. */
  readonly readerEndpoint: string;
  /** The files of the bucket, for a test that flips a byte in one. */
  readonly dataFolder: string;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

interface Account {
  readonly access: string;
  readonly secret: string;
}

const newAccount = (name: string): Account => ({ access: `${name}-${randomBytes(6).toString("hex")}`, secret: randomBytes(24).toString("base64url") });

/** Starts versitygw over a folder. Started again over the same folder, it serves what was there, to new accounts. */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const program = await findProgram("versitygw");
  const { user, bucket, region = "us-east-1" } = options;
  const folder = await makeFolder(resolve(options.folder), { owner: user });
  const place = (name: string) => makeFolder(join(folder, name), { owner: user });
  const [data, accounts, metadata] = [await place("data"), await place("accounts"), await place("metadata")];
  const root: Account = { ...newAccount("root"), access: "drill-root" }; // the bucket's owner by name, also after a restart
  const writer = newAccount("writer");
  const reader = newAccount("reader");
  await writeAccounts(join(accounts, "users.json"), [writer, reader], user);
  const port = options.port === 0 ? await freePort() : options.port;
  const server = await startGateway(program, root, folder, options, [
    "--port", `127.0.0.1:${port}`, "--cert", options.certificate.certificate, "--key", options.certificate.key,
    "--region", region, "--iam-dir", accounts, "--keep-alive", "--quiet",
    "posix", "--sidecar", metadata, data, // extended attributes are missing on some file systems (tmpfs before Linux 6.6)
  ]);
  try {
    await waitFor(`the S3 server on port ${port}`, () => answers(server, port), { within: startDeadline, every: 0.05 });
    await prepareBucket({ root, writer, reader, bucket, region, port, caFile: options.certificate.caFile });
    return {
      server, port, bucket, region, endpoint: `localhost:${port}`, readerEndpoint: `localhost:${port}`,
      caFile: options.certificate.caFile, dataFolder: join(data, bucket),
      writerCredentialsFile: await writeCredentials(join(folder, "writer.credentials"), writer),
      readerCredentialsFile: await writeCredentials(join(folder, "reader.credentials"), reader),
      kill: () => server.kill(),
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.kill();
    throw error;
  }
}

/**
 * versitygw takes its root account from an argument or from the environment, nothing else. The environment of that one
 * child, which only its own user and root can read, is the lesser evil: a shell reads it from a file that is removed
 * at once. It is the owner's account, made anew at every start and used for nothing but the bucket's policy; the jobs
 * use the accounts in `users.json`.
 */
async function startGateway(program: string, root: Account, folder: string, options: S3ServerOptions, args: readonly string[]): Promise<Server> {
  const secretFile = join(folder, "root.env");
  await writeDurably(secretFile, `ROOT_ACCESS_KEY=${root.access}\nROOT_SECRET_KEY=${root.secret}\nexport ROOT_ACCESS_KEY ROOT_SECRET_KEY\n`, { mode: 0o600, owner: options.user });
  const script = '. "$1" && rm -f "$1" && shift && exec "$@"';
  const server = await startServer(`s3 ${options.bucket}`, "sh", ["-c", script, "sh", secretFile, program, ...args], { cwd: folder, logFile: options.logFile, user: options.user });
  return server;
}

async function answers(server: Server, port: number): Promise<boolean> {
  if (!server.running()) throw new DrError({ kind: "failed", what: "the S3 server ended as it started", where: server.logFile, todo: "Read its log." });
  return new Promise((resolveAnswer) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolveAnswer(true);
    });
    socket.once("error", () => resolveAnswer(false));
  });
}

interface Preparation {
  readonly root: Account;
  readonly writer: Account;
  readonly reader: Account;
  readonly bucket: string;
  readonly region: string;
  readonly port: number;
  readonly caFile: string;
}

const statement = (effect: "Allow" | "Deny", account: Account, actions: readonly string[], bucket: string) => ({
  Effect: effect,
  Principal: { AWS: [account.access] },
  Action: actions,
  Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
});

/** Makes the bucket where it is missing, and says who may do what in it. */
async function prepareBucket({ root, writer, reader, bucket, region, port, caFile }: Preparation): Promise<void> {
  const client = new S3Client({
    endpoint: `https://localhost:${port}`, region, forcePathStyle: true,
    credentials: { accessKeyId: root.access, secretAccessKey: root.secret },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca: await readFile(caFile) }), connectionTimeout: 5_000, requestTimeout: 10_000, throwOnRequestTimeout: true }),
  });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === "BucketAlreadyOwnedByYou")) throw error;
    });
    const policy = {
      Version: "2012-10-17",
      Statement: [
        statement("Allow", writer, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"], bucket),
        statement("Allow", reader, ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"], bucket),
      ],
    };
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }));
  } finally {
    client.destroy();
  }
}

async function writeAccounts(path: string, accounts: readonly Account[], owner: OsUser | undefined): Promise<void> {
  const entries = accounts.map((account) => [account.access, { ...account, role: "user", userID: 0, groupID: 0, projectID: 0 }] as const);
  await rm(`${path}.backup`, { force: true });
  await writeDurably(path, JSON.stringify({ accessAccounts: Object.fromEntries(entries) }), { mode: 0o600, owner });
}

async function writeCredentials(path: string, { access, secret }: Account): Promise<string> {
  await writeFile(path, `[default]\naws_access_key_id = ${access}\naws_secret_access_key = ${secret}\n`, { mode: 0o600 });
  return path;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolveListening, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", resolveListening);
  });
  const bound = probe.address();
  await new Promise<void>((resolveClosed) => probe.close(() => resolveClosed()));
  if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
  return bound.port;
}
