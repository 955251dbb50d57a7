import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { registerAll } from "../../cli/commands/all.ts";
import type { CliContext } from "../../cli/context.ts";
import { blackroad } from "../../plan/blackroad.ts";

const context: CliContext = {
  signal: new AbortController().signal,
  print: () => undefined,
  openRun: () => Promise.reject(new Error("a test of words opens no run")),
  setExitCode: () => undefined,
  atEnd: () => undefined,
  report: () => undefined,
};

const whole = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(whole)];
const wordsOf = (command: Command): string[] => (command.parent === null ? [] : [...wordsOf(command.parent), command.name()]);

/** What `dr` understands of the arguments: the command, with its options; what it would do is left undone. */
async function understood(args: readonly string[]): Promise<{ readonly words: readonly string[]; readonly options: unknown }> {
  const program = new Command("dr").option("--config <file>").exitOverride();
  registerAll(program, context);
  let seen: { readonly words: readonly string[]; readonly options: unknown } | undefined;
  for (const command of whole(program)) {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    if (command.commands.length === 0) command.action(() => void (seen = { words: wordsOf(command), options: command.opts() }));
  }
  await program.parseAsync(["--config", "/etc/dr/dr.json", ...args], { from: "user" });
  if (seen === undefined) throw new Error(`dr ${args.join(" ")} is a command that does nothing`);
  return seen;
}

describe("a schedule's command", () => {
  it.each(blackroad.schedules.map(({ name, command }) => [name, command] as const))("of %s is one that dr knows, with every option", async (_name, command) => {
    const { words } = await understood(command);
    expect(words[0]).toBe(command[0]);
  });

  // The same jobs run in both regions, and what stands by is no original of anything.
  it.each(["redis-snapshot", "vault-snapshot", "vectors-snapshot", "agents-checkpoint"] as const)("of %s leaves a store alone that is not the leader", async (name) => {
    const command = blackroad.schedules.find((schedule) => schedule.name === name)?.command ?? [];
    expect((await understood(command)).options).toMatchObject({ leaderOnly: true });
  });

  it("is refused with a word or an option that dr has not", async () => {
    await expect(understood(["backup", "objects", "synchronise"])).rejects.toThrow(/unknown command|too many arguments/);
    await expect(understood(["backup", "metrics", "snapshot", "--leader-only"])).rejects.toThrow(/unknown option/);
  });
});
