import { resolve } from "node:path";
import type { Command } from "commander";
import { repositorySecret, runnerSecret } from "../../plan/secrets.ts";
import { DrError } from "../../runner/errors.ts";
import type { EscrowSource, OpenedEscrow } from "../../runner/escrow/open.ts";
import type { CliContext } from "../context.ts";

interface OpenOptions {
  readonly backend?: string;
  readonly key?: string;
  readonly keyPassphraseFile?: string;
  readonly into: string;
}

/** `dr secrets open-escrow` */
export function registerSecrets(program: Command, context: CliContext): void {
  program
    .command("secrets")
    .description("what opens the backups")
    .command("open-escrow")
    .description("open the passphrases that are sealed to people, and write each into a file of mode 0600; prints no value")
    .argument("[file]", "the sealed message; `-`: the standard input, sealed or as gpg opened it")
    .option("--backend <name>", "instead of a file: the newest one in this backend")
    .option("--key <file>", "the armoured private key of one of its recipients")
    .option("--key-passphrase-file <file>", "holds the private key's own passphrase")
    .requiredOption("--into <dir>", "where the files go; nothing in it is overwritten")
    .action(async (file: string | undefined, { backend, key, keyPassphraseFile, into }: OpenOptions) => {
      const source = await sourceOf(context, file, backend);
      const { openEscrow } = await import("../../runner/escrow/open.ts");
      const result = await openEscrow({ source, into: resolve(into), ...(key === undefined ? {} : { keyFile: resolve(key) }), ...(keyPassphraseFile === undefined ? {} : { keyPassphraseFile: resolve(keyPassphraseFile) }) });
      context.print(render(result), result);
    });
}

async function sourceOf(context: CliContext, file: string | undefined, name: string | undefined): Promise<EscrowSource> {
  if ((file === undefined) === (name === undefined)) throw new DrError({ kind: "usage", what: file === undefined ? "nothing says where the escrow is" : "a file and a backend are two different places", where: "open-escrow", todo: "Name the file, or with --backend the backend whose newest it is." });
  if (file === "-") return { input: process.stdin };
  if (file !== undefined) return { file: resolve(file) };
  const { backends } = await context.openRun();
  const backend = backends.find((one) => one.name === name);
  if (backend !== undefined) return { backend };
  throw new DrError({ kind: "usage", what: `the configuration has no backend ${name ?? ""}`, where: "--backend", todo: `Name one of: ${backends.map((one) => one.name).join(", ")}.` });
}

/** Where a file is named in a configuration. */
function placeOf(secret: string): string {
  if (secret === runnerSecret) return "passphraseFile";
  const prefix = repositorySecret("");
  return secret.startsWith(prefix) ? `pgbackrest.cipherPassFile of the backend ${secret.slice(prefix.length)}` : "";
}

function render({ from, older, secrets, vaultSeal }: OpenedEscrow): string {
  return [
    `opened ${from}: ${secrets.length} secrets`,
    ...secrets.map(({ name, opens, file }) => `  ${file}: opens ${opens}${placeOf(name) === "" ? "" : `; in the configuration: ${placeOf(name)}`}`),
    ...(vaultSeal === undefined ? [] : [`Vault's snapshots open with ${vaultSeal.type} ${vaultSeal.alias} (${vaultSeal.regions.join(", ")}) alone: without it Vault stays shut, and its secrets are issued anew`]),
    ...(older.length === 0 ? [] : [`where these do not open the backups, an older one may: ${older.join(", ")}`]),
  ].join("\n");
}
