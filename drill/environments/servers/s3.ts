import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { CreateBucketCommand, PutBucketPolicyCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Agent } from "node:https";
import { DrError } from "../../../runner/errors.ts";
import { makeFolder, writeDurably } from "../../../runner/system/files.ts";
import { freePort } from "../../../runner/system/ports.ts";
import { startServer, type OsUser, type Server } from "../../../runner/system/process.ts";
import { findProgram } from "../../../runner/system/programs.ts";
import { waitFor } from "../../../runner/system/wait.ts";
import { readCredentials } from "../../../runner/storage/credentials.ts";
import type { Certificate } from "../certificates.ts";

/** Seconds until the server must answer; it takes 0.2 on an idle machine. */
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
  /**
   * Where the server keeps what it knows of an object. `extended` (the default): in the file's extended attributes,
   * which is twice as fast for small objects, but on ext4 an upload of more than about 700 parts ends in an internal
   * error, as 4 KiB is all that they hold. `files`: in files of their own.
   */
  readonly attributes?: "extended" | "files";
  /** Whether an overwrite leaves the older version behind, as S3's bucket does and R2's cannot. Default: false. */
  readonly versioned?: boolean;
  /** A second bucket, which the reader's account alone may write to: whoever has stolen the writer's cannot reach it. */
  readonly clean?: string;
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

/** The bucket belongs to its owner's name, also after a restart; the others' names are guessed by nobody. */
const newAccount = (name: string): Account => ({ access: name === "root" ? "drill-root" : `${name}-${randomBytes(6).toString("hex")}`, secret: randomBytes(24).toString("base64url") });

/** Starts versitygw over a folder. Started again over the same folder, it serves what was there, to the same accounts. */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { user, bucket, region = "us-east-1" } = options;
  const { caFile } = options.certificate;
  const folder = await makeFolder(resolve(options.folder), { owner: user });
  const accounts = await makeFolder(join(folder, "accounts"), { owner: user });
  const data = await makeFolder(join(folder, "data"), { owner: user });
  const writer = await account(join(folder, "writer.credentials"), "writer");
  const reader = await account(join(folder, "reader.credentials"), "reader");
  await writeAccounts(join(accounts, "users.json"), [writer, reader], user);
  const root = newAccount("root");
  const port = await portToListenOn(options.port);
  const server = await startGateway(root, { ...options, folder, port, region }, accounts, data);
  try {
    await prepareBucket({ root, writer, reader, bucket, region, port, caFile, versioned: options.versioned === true, clean: options.clean });
  } catch (error) {
    await server.kill();
    throw error;
  }
  return {
    server, port, bucket, region, caFile, endpoint: `localhost:${port}`, readerEndpoint: `localhost:${port}`,
    writerCredentialsFile: writer.file, readerCredentialsFile: reader.file, dataFolder: join(data, bucket),
    kill: () => server.kill(),
    stop: () => server.stop(),
  };
}

/** The account of an earlier start, or a new one, in AWS's shared credentials format. */
async function account(file: string, name: string): Promise<Account & { readonly file: string }> {
  try {
    const { accessKeyId, secretAccessKey } = await readCredentials(file);
    return { file, access: accessKeyId, secret: secretAccessKey };
  } catch (error) {
    if (!(error instanceof DrError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT")) throw error;
  }
  const made = newAccount(name);
  await writeDurably(file, `[default]\naws_access_key_id = ${made.access}\naws_secret_access_key = ${made.secret}\n`, { mode: 0o600 });
  return { file, ...made };
}

/** Where the file system has no extended attributes (tmpfs before Linux 6.6), the server ends as it starts: files then. */
async function startGateway(root: Account, options: Required<Pick<S3ServerOptions, "folder" | "port" | "region">> & S3ServerOptions, accounts: string, data: string): Promise<Server> {
  const { folder, port, user } = options;
  const certificate = join(folder, "server.crt");
  const key = join(folder, "server.key"); // a copy, as the server's user may not read the original
  await writeDurably(certificate, await readFile(options.certificate.certificate), { owner: user });
  await writeDurably(key, await readFile(options.certificate.key), { mode: 0o600, owner: user });
  const args = ["--port", `127.0.0.1:${port}`, "--cert", certificate, "--key", key, "--region", options.region, "--iam-dir", accounts, "--keep-alive", "--quiet", "posix", ...(options.versioned === true ? ["--versioning-dir", await makeFolder(join(folder, "versions"), { owner: user })] : [])];
  if (options.attributes !== "files") {
    const server = await launch(root, options, [...args, data]);
    if (await comesUp(server, port)) return server;
  }
  const metadata = await makeFolder(join(folder, "metadata"), { owner: user });
  const server = await launch(root, options, [...args, "--sidecar", metadata, data]);
  if (await comesUp(server, port)) return server;
  throw new DrError({ kind: "failed", what: "the S3 server ended as it started", where: options.logFile, todo: "Read its log." });
}

/** `false` where the server has ended instead of answering. */
async function comesUp(server: Server, port: number): Promise<boolean> {
  try {
    const state = await waitFor(`the S3 server on port ${port}`, async () => (server.running() ? (await answers(port)) && "up" : "ended"), { within: startDeadline, every: 0.05 });
    return state === "up";
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
async function launch(root: Account, { folder, bucket, logFile, user }: S3ServerOptions, args: readonly string[]): Promise<Server> {
  const program = await findProgram("versitygw");
  const secretFile = join(folder, "root.env");
  await writeDurably(secretFile, `ROOT_ACCESS_KEY=${root.access}\nROOT_SECRET_KEY=${root.secret}\nexport ROOT_ACCESS_KEY ROOT_SECRET_KEY\n`, { mode: 0o600, owner: user });
  const script = '. "$1" && rm -f "$1" && shift && exec "$@"';
  return startServer(`s3 ${bucket}`, "sh", ["-c", script, "sh", secretFile, program, ...args], { cwd: folder, logFile, user });
}

async function answers(port: number): Promise<boolean> {
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
  readonly versioned: boolean;
  readonly clean: string | undefined;
}

const statement = (effect: "Allow" | "Deny", account: Account, actions: readonly string[], bucket: string) => ({
  Effect: effect,
  Principal: { AWS: [account.access] },
  Action: actions,
  Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
});

/** What the writers of the plan may do with a bucket: everything but to take older versions away. */
const writing = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"];

/** Makes the buckets where they are missing, and says who may do what in them. */
async function prepareBucket({ root, writer, reader, bucket, region, port, caFile, versioned, clean }: Preparation): Promise<void> {
  const client = new S3Client({
    endpoint: `https://localhost:${port}`, region, forcePathStyle: true,
    credentials: { accessKeyId: root.access, secretAccessKey: root.secret },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca: await readFile(caFile) }), connectionTimeout: 5_000, requestTimeout: 10_000, throwOnRequestTimeout: true }),
  });
  try {
    await makeBucket(client, bucket);
    if (versioned) await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }));
    await allow(client, bucket, [statement("Allow", writer, writing, bucket), statement("Allow", reader, ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"], bucket)]);
    if (clean === undefined) return;
    await makeBucket(client, clean);
    await allow(client, clean, [statement("Allow", reader, writing, clean)]);
  } finally {
    client.destroy();
  }
}

async function makeBucket(client: S3Client, name: string): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: name })).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === "BucketAlreadyOwnedByYou")) throw error;
  });
}

const allow = (client: S3Client, name: string, statements: readonly ReturnType<typeof statement>[]) => client.send(new PutBucketPolicyCommand({ Bucket: name, Policy: JSON.stringify({ Version: "2012-10-17", Statement: statements }) }));

async function writeAccounts(path: string, accounts: readonly Account[], owner: OsUser | undefined): Promise<void> {
  const entries = accounts.map((account) => [account.access, { ...account, role: "user", userID: 0, groupID: 0, projectID: 0 }] as const);
  await rm(`${path}.backup`, { force: true });
  await writeDurably(path, JSON.stringify({ accessAccounts: Object.fromEntries(entries) }), { mode: 0o600, owner });
}

/** The port, or any where it is 0. One that is taken must not be: what listens there would be taken for the server. */
async function portToListenOn(wanted: number): Promise<number> {
  if (wanted === 0) return freePort();
  const probe = createServer();
  await new Promise<void>((resolveListening, reject) => {
    probe.once("error", (cause) => reject(new DrError({ kind: "unavailable", what: `the S3 server cannot listen: ${cause.message}`, where: `127.0.0.1:${wanted}`, todo: "Stop what listens there, or choose another port.", cause })));
    probe.listen(wanted, "127.0.0.1", resolveListening);
  });
  await new Promise<void>((resolveClosed) => probe.close(() => resolveClosed()));
  return wanted;
}
