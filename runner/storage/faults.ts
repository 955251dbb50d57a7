import { DrError, messageOf, type ErrorKind } from "../errors.ts";

/** What can be wrong with a backend, told apart because a person does something else about each. */
export type StorageFault =
  | "refused"
  | "unresolvable"
  | "no-answer"
  | "untrusted"
  | "wrong-key"
  | "forbidden"
  | "missing-bucket"
  | "missing-object"
  | "full"
  | "stalled"
  | "broken-off"
  | "bad-key"
  | "other";

/** A failure of a backend. `fault` is short and stable: metrics use it as a label. */
export class StorageError extends DrError {
  readonly fault: StorageFault;

  constructor(fault: StorageFault, what: string, where: string, cause?: unknown) {
    const { kind, todo } = advice[fault];
    super({ kind, what, where, todo, cause });
    this.fault = fault;
  }
}

const advice: Readonly<Record<StorageFault, { readonly kind: ErrorKind; readonly todo: string }>> = {
  refused: { kind: "unavailable", todo: "Start the store, or correct its port; the other backends are used meanwhile." },
  unresolvable: { kind: "unavailable", todo: "Correct the endpoint's host name, or repair the name service." },
  "no-answer": { kind: "unavailable", todo: "Look whether the store and the network to it are well; the other backends are used meanwhile." },
  untrusted: { kind: "unavailable", todo: "Name the authority that signed the endpoint's certificate as `caFile`; if it should be trusted already, somebody else may be answering." },
  "wrong-key": { kind: "unavailable", todo: "Put the store's own access key and secret into the credentials file; they may have been revoked." },
  forbidden: { kind: "unavailable", todo: "Give this account the right, or use another account; a reader's account cannot write." },
  "missing-bucket": { kind: "unavailable", todo: "Correct the name, or make it; it is never made by a backup." },
  "missing-object": { kind: "failed", todo: "Use the copy in another backend; `dr verify` tells what else is missing." },
  full: { kind: "failed", todo: "Free space or raise the quota; nothing of the unfinished object is kept." },
  stalled: { kind: "failed", todo: "Look at the store and the network to it; run the backup again for this copy." },
  "broken-off": { kind: "failed", todo: "Try again; if it comes back, read the store's log." },
  "bad-key": { kind: "usage", todo: "Use a relative key such as `redis/ID/dump.rdb.pgp`, no part of which is an object itself." },
  other: { kind: "failed", todo: "Read the store's message above." },
};

const byCode: Readonly<Record<string, readonly [StorageFault, string]>> = {
  ECONNREFUSED: ["refused", "the store refuses connections"],
  ENOTFOUND: ["unresolvable", "the host name cannot be resolved"],
  EAI_AGAIN: ["unresolvable", "the host name cannot be resolved, as the name service does not answer"],
  EHOSTUNREACH: ["no-answer", "there is no route to the store"],
  ENETUNREACH: ["no-answer", "there is no route to the store"],
  ETIMEDOUT: ["no-answer", "the store did not answer in time"],
  ECONNRESET: ["broken-off", "the store broke the connection off"],
  EPIPE: ["broken-off", "the store broke the connection off"],
  ECONNABORTED: ["broken-off", "the connection was broken off"],
  EPROTO: ["untrusted", "the store does not speak TLS"],
  ERR_SSL_WRONG_VERSION_NUMBER: ["untrusted", "the store does not speak TLS"],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: ["untrusted", "the store does not speak TLS"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["untrusted", "the store's certificate is signed by itself"],
  SELF_SIGNED_CERT_IN_CHAIN: ["untrusted", "the store's certificate is signed by an authority that is not trusted"],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["untrusted", "the store's certificate is signed by an authority that is not trusted"],
  UNABLE_TO_GET_ISSUER_CERT: ["untrusted", "the store's certificate is signed by an authority that is not trusted"],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["untrusted", "the store's certificate is signed by an authority that is not trusted"],
  CERT_SIGNATURE_FAILURE: ["untrusted", "the store's certificate has a signature that does not verify"],
  CERT_HAS_EXPIRED: ["untrusted", "the store's certificate has expired"],
  CERT_NOT_YET_VALID: ["untrusted", "the store's certificate is not valid yet (is the clock right?)"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["untrusted", "the store's certificate is for another name than the endpoint's"],
  InvalidAccessKeyId: ["wrong-key", "the store does not know the access key"],
  SignatureDoesNotMatch: ["wrong-key", "the secret does not belong to the access key"],
  AuthorizationHeaderMalformed: ["wrong-key", "the store refuses the signature's form (is the region right?)"],
  ExpiredToken: ["wrong-key", "the credentials have expired"],
  InvalidToken: ["wrong-key", "the store does not know the session token"],
  RequestTimeTooSkewed: ["wrong-key", "this machine's clock and the store's differ too much for a signature"],
  // AWS's other interfaces, Glacier's among them, name theirs so.
  AccessDeniedException: ["forbidden", "the store denies access to this account"],
  ResourceNotFoundException: ["missing-object", "what was asked for does not exist"],
  ServiceUnavailableException: ["no-answer", "the store is not available"],
  UnrecognizedClientException: ["wrong-key", "the store does not know the access key"],
  AccessDenied: ["forbidden", "the store denies access to this account"],
  Forbidden: ["forbidden", "the store denies access to this account"],
  NoSuchBucket: ["missing-bucket", "the bucket does not exist"],
  NoSuchKey: ["missing-object", "the object does not exist"],
  NotFound: ["missing-object", "the object does not exist"],
  InvalidRange: ["missing-object", "the object is shorter than the range that was asked for"],
  QuotaExceeded: ["full", "the store's quota is used up"],
  InsufficientStorage: ["full", "the store's disk is full"],
  StorageFull: ["full", "the store's disk is full"],
  XMinioStorageFull: ["full", "the store's disk is full"],
  TimeoutError: ["no-answer", "the store did not answer in time"],
  ENOSPC: ["full", "the disk is full"],
  EDQUOT: ["full", "the quota of the disk is used up"],
  EACCES: ["forbidden", "the file system denies access"],
  EPERM: ["forbidden", "the file system denies access"],
  EROFS: ["forbidden", "the file system is read-only"],
  ENOENT: ["missing-object", "the object does not exist"],
  ENOTDIR: ["bad-key", "a part of the key is an object itself"],
  EEXIST: ["bad-key", "a part of the key is an object itself"],
  EISDIR: ["bad-key", "the key is a folder"],
  ObjectParentIsFile: ["bad-key", "a part of the key is an object itself"],
};

/** The names and codes of an error and of its causes: an SDK wraps what Node said, and Node what the system said. */
function* codesOf(error: unknown): Generator<string> {
  if (!(error instanceof Error)) return;
  if ("code" in error && typeof error.code === "string") yield error.code;
  yield error.name;
  if (error instanceof AggregateError) for (const inner of error.errors) yield* codesOf(inner);
  yield* codesOf(error.cause);
}

/** Says what is wrong in words that a person can act upon; what is a `DrError` already stays as it is. */
export function toStorageError(error: unknown, where: string): DrError {
  if (error instanceof DrError) return error;
  for (const code of codesOf(error)) {
    const known = byCode[code];
    if (known !== undefined) return new StorageError(known[0], known[1], where, error);
  }
  return new StorageError("other", `the store failed: ${messageOf(error)}`, where, error);
}

/** A short, stable name of what went wrong: a label for a metric. */
export const faultOf = (error: unknown): StorageFault => (error instanceof StorageError ? error.fault : "other");
