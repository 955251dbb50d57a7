/** What pgBackRest says when it fails, in words that a person can act upon at night. */
import { DrError, type ErrorKind } from "../../errors.ts";

/** Exit code of pgBackRest where another command holds the stanza's lock. */
export const lockedCode = 50;

interface Fault {
  readonly pattern: RegExp;
  readonly kind: ErrorKind;
  readonly what: string;
  readonly todo: string;
}

/** In this order: the first that matches is said. */
const faults: readonly Fault[] = [
  { pattern: /No space left on device|Disk quota exceeded|QuotaExceeded|InsufficientStorage/, kind: "failed", what: "the disk is full", todo: "Free space there, then start it again; what was half written is thrown away by itself." },
  // A short write has no reason of its own: pgBackRest 2.45 says only this where a disk fills up.
  { pattern: /unable to write '[^']+'; \[FileWriteError\]|ERROR: \[064\].*unable to write '/, kind: "failed", what: "the disk is full, or fails", todo: "Free space there, then start it again; what was half written is thrown away by itself." },
  // Of pgBackRest's TLS server beside the database; what follows says the same of a repository.
  { pattern: /unable to check pg\d+: .*(?:access denied|alert)/, kind: "unavailable", what: "the database's host does not let this job in", todo: "Correct `certFile` and `keyFile` of `pgbackrestServer`: the server asks for its own authority, and for a name that its `tls-server-auth` has." },
  { pattern: /unable to check pg\d+: .*certificate/, kind: "unavailable", what: "the certificate of the database's host is not signed by the trusted authority, or has another name", todo: "Correct `caFile` and `host` of `pgbackrestServer`; if they are right, somebody else may be answering there." },
  { pattern: /unable to check pg\d+: .*(?:HostConnectError|unable to connect to|Connection refused|unable to get address|timeout)/, kind: "unavailable", what: "pgBackRest's server on the database's host does not answer", todo: "Look whether the leader's pod runs, and its container `pgbackrest` with it." },
  { pattern: /unable to set user-defined CA certificate/, kind: "unavailable", what: "the file of the authorities that sign the repository's certificate cannot be read", todo: "Correct `caFile` (in pgBackRest's own configuration `repo1-storage-ca-file`)." },
  { pattern: /unable to verify certificate|CryptoError: .*certificate/, kind: "unavailable", what: "the repository's certificate is not signed by a trusted authority", todo: "Correct `caFile`; if it is right, somebody else may be answering there." },
  { pattern: /SignatureDoesNotMatch|InvalidAccessKeyId|XAdminUserNotFound|AuthorizationHeaderMalformed/, kind: "unavailable", what: "the repository refuses the key", todo: "Put the store's own access key and secret into `credentialsFile`; they may have been revoked." },
  { pattern: /AccessDenied|403 \(Forbidden\)|Permission denied|\[13\]/, kind: "unavailable", what: "the repository denies access to this account", todo: "Give the account the right, or use another one; a reader's account cannot write." },
  { pattern: /NoSuchBucket/, kind: "unavailable", what: "the repository's bucket does not exist", todo: "Correct `bucket`; it is never made by a backup." },
  { pattern: /HostConnectError|unable to connect to|Connection refused|unable to get address/, kind: "unavailable", what: "the repository does not accept connections", todo: "Start the store, or correct its endpoint; the other repositories are used meanwhile." },
  { pattern: /timeout after|FileReadError: timeout|ProtocolError: timeout/, kind: "unavailable", what: "the repository does not answer", todo: "Look whether the store and the network to it are well; the other repositories are used meanwhile." },
  { pattern: /outside of section|cipher header|unable to flush|bad decrypt|CryptoError/, kind: "unavailable", what: "the repository cannot be decrypted: the passphrase is wrong, or its info files are damaged", todo: "Correct the file that `cipherPassFile` names; if it is right, `dr verify` tells which file is damaged." },
  { pattern: /has a stanza-create been performed|stanza .* does not exist|FileMissingError: unable to open missing file .*(?:backup|archive)\.info/, kind: "unavailable", what: "the repository holds no backups of this system yet", todo: "Run `dr init` where the database is; or correct `path`." },
  { pattern: /WAL segment .* was not archived before/, kind: "failed", what: "the WAL that the backup needs did not reach the repository in time", todo: "Look at PostgreSQL's log for what its archive_command says." },
  { pattern: /ChecksumError|checksum .* does not match|Data corruption detected|does not match expected checksum/, kind: "failed", what: "the backup is damaged", todo: "Recover from the other repository; `dr verify` names each damaged file." },
  { pattern: /system-id .* do not match|database version .* not match/, kind: "refused", what: "the repository belongs to another database", todo: "Give this database a repository path or a stanza of its own: a reused one mixes two histories." },
];

/** The lines that say something: without HTTP's headers, and short. */
export function condense(output: string): string {
  const lines = output
    .split("\n")
    .map((line) => line.replace(/^\S+ \S+ P\d+ +/, "").trim())
    .filter((line) => line !== "" && !/^(\*\*\*|[a-z-]+: |<\?xml|HINT|GET |PUT |HEAD |POST |DELETE |INFO|DETAIL|WARN)/.test(line));
  const xml = /<Code>([^<]+)<\/Code><Message>([^<]+)/.exec(output);
  const text = [...new Set(lines.filter((line) => !line.startsWith("<")))].slice(0, 4).join("; ");
  return printable(xml === null ? text : `${text} (${xml[1] ?? ""}: ${xml[2] ?? ""})`).slice(0, 600);
}

/** A wrong passphrase makes pgBackRest print bytes: they have no place on a terminal. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e\n]+/g, "…");

/** A failure of pgBackRest as an error; `where` names the repository. */
export function pgbackrestError(command: string, where: string, code: number, output: string): DrError {
  const known = faults.find(({ pattern }) => pattern.test(output));
  const said = condense(output);
  return new DrError({
    kind: known?.kind ?? "failed",
    what: known === undefined ? `pgbackrest ${command} failed with code ${code}: ${said === "" ? "it said nothing" : said}` : `${known.what} [pgbackrest ${command}, code ${code}: ${said}]`,
    where,
    todo: known?.todo ?? "Read its message above and its log in the work directory.",
  });
}
