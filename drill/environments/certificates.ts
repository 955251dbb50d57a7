import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { makeFolder } from "../../runner/system/files.ts";
import { run } from "../../runner/system/process.ts";
import { findProgram } from "../../runner/system/programs.ts";

/** Seconds that one call of openssl may take; a key on a curve takes milliseconds. */
const deadline = 30;
/** A drill ends within the hour; nothing that it made should be trusted a month later. */
const validDays = 2;

/** A certificate authority of a drill, in files. */
export interface Authority {
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
}

/** Absolute paths; the key's permissions are 0600. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  /** The authority's certificate, which signs it. */
  readonly caFile: string;
}

export interface CertificateRequest {
  readonly name: string;
  /** DNS names and IP addresses. pgBackRest checks DNS names only, so give `localhost` beside `127.0.0.1`. */
  readonly hosts: readonly string[];
  /** Days from now; -1: it expired yesterday. Default: longer than any drill. */
  readonly days?: number;
}

const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;

/** Makes an authority in `folder`, which is made where it is missing. Its key can sign for this drill only. */
export async function makeAuthority(folder: string): Promise<Authority> {
  const root = await makeFolder(resolve(folder), { mode: 0o755 });
  const authority = { folder: root, certificate: join(root, "ca.crt"), key: join(root, "ca.key") };
  await openssl([
    "req", "-x509", ...curve, "-days", String(validDays), "-subj", "/CN=blackroad drill authority",
    "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    "-keyout", authority.key, "-out", authority.certificate,
  ]);
  return authority;
}

/**
 * Issues a certificate that serves as a server's and as a client's. Several may be issued at once: the serial
 * number is drawn here (128 random bits behind a 1, as RFC 5280 wants a positive number), as openssl's own counter is a file
 * that two of its processes read half written.
 */
export async function issue(authority: Authority, { name, hosts, days = validDays }: CertificateRequest): Promise<Certificate> {
  const path = (ending: string) => join(authority.folder, `${name}.${ending}`);
  const names = hosts.map((host) => `${isIP(host) === 0 ? "DNS" : "IP"}:${host}`).join(",");
  await openssl(["req", "-new", ...curve, "-subj", `/CN=${hosts[0] ?? name}`, "-keyout", path("key"), "-out", path("csr")]);
  await writeFile(path("ext"), ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth,clientAuth", ...(names === "" ? [] : [`subjectAltName=${names}`]), ""].join("\n"));
  await openssl(["x509", "-req", "-in", path("csr"), "-CA", authority.certificate, "-CAkey", authority.key, "-set_serial", serialNumber(), "-days", String(days), "-extfile", path("ext"), "-out", path("crt")]);
  return { certificate: path("crt"), key: path("key"), caFile: authority.certificate };
}

function serialNumber(): string {
  return `0x01${randomBytes(16).toString("hex")}`;
}

/** openssl writes a key with mode 0600 whatever the umask is. */
async function openssl(args: readonly string[]): Promise<void> {
  await run(await findProgram("openssl"), args, { deadline });
}
