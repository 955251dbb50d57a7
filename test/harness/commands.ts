import { Command } from "commander";
import type { CliContext } from "../../cli/context.ts";
import { registerAll } from "../../cli/commands/all.ts";

/** Nothing that is only read for its names and options may do anything. */
const inert: CliContext = {
  signal: new AbortController().signal,
  print: () => undefined,
  setExitCode: () => undefined,
  atEnd: () => undefined,
  report: () => undefined,
  openRun: () => Promise.reject(new Error("a command was to be read, not run")),
};

/** What `dr` itself takes, in front of every command (cli/main.ts). */
const options = ["--config", "--json", "--quiet", "--help"];

/**
 * What is wrong with a command of `dr` as a document names it (`dr recover full --dry-run`), or nothing. Words that are
 * neither a command nor an option are taken for arguments and values: whether those are right, only a run shows.
 */
export function commandProblem(text: string): string | undefined {
  const [first, ...words] = text.trim().split(/\s+/);
  if (first !== "dr") return `${text}: is no command of dr`;
  const program = new Command("dr");
  registerAll(program, inert);
  let command = program;
  let plain = 0;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next !== undefined && plain === 0) command = next;
    else if (word.startsWith("--")) {
      if (![...command.options.map(({ long }) => long), ...options].includes(word)) return `${text}: there is no option ${word}`;
    } else plain += 1;
  }
  if (command.commands.length > 0 && !words.includes("--config")) return `${text}: names no command, but a group of them`;
  const takes = command.registeredArguments.length > 0 || words.some((word) => word.startsWith("--"));
  return plain > 0 && !takes ? `${text}: takes no argument` : undefined;
}
