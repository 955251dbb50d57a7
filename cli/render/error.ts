import type { CommanderError } from "commander";
import { DrError, messageOf } from "../../runner/errors.ts";

/** An error for a person: what, where, what to do. */
export function renderError(error: unknown): string {
  if (error instanceof DrError) return `dr: ${error.what}\n    where: ${error.where}\n    do:    ${error.todo}`;
  return `dr: ${messageOf(error)}`;
}

/** The same for a program that reads `--json`. */
export function errorData(error: unknown): unknown {
  if (error instanceof DrError) return { error: { kind: error.kind, what: error.what, where: error.where, todo: error.todo } };
  return { error: { kind: "failed", what: messageOf(error), where: "dr", todo: "Run it again with DR_TRACE=1 to see where it came from." } };
}

/** A command line that cannot be read; commander has told people about it already. */
export function usageError({ code, message }: CommanderError): DrError {
  const what = code === "commander.help" ? "a command is missing" : message.replace(/^error: /, "");
  return new DrError({ kind: "usage", what, where: "the command line", todo: "Correct it; `dr --help` lists the commands." });
}
