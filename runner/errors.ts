/**
 * What every failure tells: what happened, where, and what to do about it.
 * The exit code of `dr` follows from the kind, so that a script can tell them apart.
 */
export const exitCodes = {
  /** A promise, a check or a step failed. */
  failed: 1,
  /** The request itself is wrong: an unknown option, a time that is no time, a plan with errors. */
  usage: 2,
  /** Part of it was done: at least one copy stands, at least one failed. */
  partial: 3,
  /** Refused because data could be lost: a running server, a foreign directory, production. */
  refused: 4,
  /** Something that is needed is not there: a server, a backend, a credential, a program. */
  unavailable: 5,
  /** Stopped by a signal; what was begun was torn down. */
  interrupted: 130,
} as const;

export type ErrorKind = keyof typeof exitCodes;

export interface ErrorDetails {
  readonly kind: ErrorKind;
  /** What happened, one sentence without a full stop. */
  readonly what: string;
  /** The server, file, field or backup that it happened to. */
  readonly where: string;
  /** The next thing a person should do. */
  readonly todo: string;
  readonly cause?: unknown;
}

export class DrError extends Error {
  override readonly name = "DrError";
  readonly kind: ErrorKind;
  readonly what: string;
  readonly where: string;
  readonly todo: string;

  constructor(details: ErrorDetails) {
    super(`${details.what} (${details.where}). ${details.todo}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = details.kind;
    this.what = details.what;
    this.where = details.where;
    this.todo = details.todo;
  }

  get exitCode(): number {
    return exitCodes[this.kind];
  }
}

/** The kind of anything that was thrown: what the metrics count failures by. */
export const kindOf = (error: unknown): ErrorKind => (error instanceof DrError ? error.kind : "failed");

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
