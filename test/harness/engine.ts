import { access, constants, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../runner/errors.ts";
import { run } from "../../runner/system/process.ts";
import { summaryOf, type Summary } from "./engine-events.ts";
import { startProviders, type Providers } from "./providers.ts";
import { temporaryFolder } from "./temporary.ts";

/** The Pulumi command, on PATH only: a test never installs it. `undefined`: its test is to be skipped. */
export async function pulumiProgram(): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    const found = await access(join(folder, "pulumi"), constants.X_OK).then(
      () => join(folder, "pulumi"),
      () => undefined,
    );
    if (folder !== "" && found !== undefined) return found;
  }
  return undefined;
}
export const withoutPulumi = "needs the pulumi command on PATH";

/** A part of a checkpoint that tests look at. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly custom?: boolean;
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface RunOptions {
  /** Seconds. Default: 240: on a machine that was busy with other things, an `up` of the archive did not end within 110. */
  readonly within?: number;
  /** More arguments of the command. */
  readonly args?: readonly string[];
  /** More of the environment, for the program too. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A stack of the project under the real engine. Each verb throws `EngineError` where the engine fails. */
export interface EngineStack {
  readonly name: string;
  preview(options?: RunOptions): Promise<Summary>;
  up(options?: RunOptions): Promise<Summary>;
  refresh(options?: RunOptions): Promise<Summary>;
  destroy(options?: RunOptions): Promise<Summary>;
  /** The checkpoint as Pulumi writes it, secrets encrypted; `shown`: in the clear, as who has the passphrase can see it. */
  exported(secrets?: "shown"): Promise<{ readonly text: string; readonly resources: readonly StateResource[] }>;
  /** Forgets the state, as if where it lay were gone; what it describes exists on. `config` is added for what comes. */
  lose(config?: Readonly<Record<string, unknown>>): Promise<void>;
  remove(): Promise<void>;
}

export interface Engine {
  readonly folder: string;
  readonly providers: Providers;
  /** A new stack with a configuration, by the full keys. */
  stack(name: string, config?: Readonly<Record<string, unknown>>): Promise<EngineStack>;
  /** Names of the stacks that there are. */
  stacks(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What the engine refused or could not do, with all that it said about it. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly summary: Summary;

  constructor(what: string, summary: Summary, output: string, cause: unknown) {
    const said = [
      ...summary.diagnostics.filter(({ severity }) => severity === "error" || severity === "warning").map(({ message }) => message.trim().split("\n").filter((line) => !/^\s+at /.test(line)).join("\n")),
      // A pack's rule that stops an operation is no diagnostic: without this, "preview failed" is all that is said.
      ...summary.policies.filter(({ level }) => level === "mandatory").map(({ policy, urn, message }) => `${policy}: ${urn ?? "the stack"}: ${message}`),
    ];
    super([`${what} failed`, ...(said.length > 0 ? new Set(said) : [output.slice(-4_000)])].join("\n"), { cause });
    this.summary = summary;
  }
}

/**
 * The engine over a project's folder, with a state, a home and a passphrase of its own, simulated providers and no
 * network. It works on a copy of the folder: Pulumi writes a stack's salt into its configuration file, and what is
 * edited meanwhile is no change of the stack.
 */
export async function startEngine(project: string): Promise<Engine> {
  const program = await pulumiProgram();
  if (program === undefined) throw new Error(withoutPulumi);
  const temporary = await temporaryFolder("engine");
  const folder = temporary.path;
  const at = (name: string) => join(folder, name);
  await Promise.all(["home", "state", "project", "tmp"].map((name) => mkdir(at(name))));
  await writeFile(at("passphrase"), "a passphrase of a test", { mode: 0o600 });
  // The newest engines write all that it does into a folder `logs`, zipped and encrypted, and nothing turns that
  // off: about 40 % of the engine's own processor time. Nobody reads it here, and with a file in its place the engine goes without.
  await writeFile(at("home/logs"), "");
  await copyOf(project, at("project"));
  const providers = await startProviders(folder);
  const env = {
    PATH: `${dirname(program)}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
    HOME: at("home"),
    TMPDIR: at("tmp"),
    PULUMI_HOME: at("home"),
    PULUMI_BACKEND_URL: `file://${at("state")}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: at("passphrase"),
    PULUMI_DEBUG_COMMANDS: "true", // shows --event-log, as for the Automation API
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    // One state at the end, not one a resource: with a loaded disk that is most of the time.
    PULUMI_EXPERIMENTAL: "true",
    PULUMI_SKIP_CHECKPOINTS: "true",
    PULUMI_DEBUG_PROVIDERS: providers.ports,
    KUBECONFIG: providers.kubeconfig,
  };
  const pulumi: Pulumi = (args, within, more = {}) => run(program, [...args, "--non-interactive", "--color", "never"], { cwd: at("project"), env: { ...env, ...more }, deadline: within });
  return {
    folder,
    providers,
    async stack(name, config = {}) {
      const init = async (more: Readonly<Record<string, unknown>> = {}) => {
        await writeFile(at(`project/Pulumi.${name}.yaml`), JSON.stringify({ config: { ...config, ...more } })); // JSON is YAML
        await pulumi(["stack", "init", name, "--secrets-provider", "passphrase"], 60);
      };
      await init();
      return stackOf(name, pulumi, at, init);
    },
    stacks: async () => (JSON.parse((await pulumi(["stack", "ls", "--json"], 60)).stdout) as { readonly name: string }[]).map(({ name }) => name),
    async close() {
      await providers.stop();
      await temporary.remove();
    },
  };
}

/** The project without what is no part of the program, and the repository's packages by a link. */
async function copyOf(project: string, to: string): Promise<void> {
  const left = new Set(["node_modules", "test", "bench", "docs", "drill-reports", "bench-reports"]);
  const names = (await readdir(project)).filter((name) => !name.startsWith(".") && !left.has(name) && !/^Pulumi\..+\.yaml$/.test(name));
  await Promise.all(names.map((name) => cp(join(project, name), join(to, name), { recursive: true })));
  await symlink(join(import.meta.dirname, "..", "..", "node_modules"), join(to, "node_modules"));
}

type Pulumi = (args: readonly string[], within: number, env?: Readonly<Record<string, string>>) => Promise<{ readonly stdout: string; readonly stderr: string; readonly seconds: number }>;

function stackOf(name: string, pulumi: Pulumi, at: (name: string) => string, init: (config?: Readonly<Record<string, unknown>>) => Promise<void>): EngineStack {
  let runs = 0;
  const operate = async (verb: string, flags: readonly string[], { within = 240, args = [], env = {} }: RunOptions = {}): Promise<Summary> => {
    const log = at(`events-${name}-${String(++runs)}-${verb}.jsonl`);
    const begun = performance.now();
    const ended = await pulumi([verb, "--stack", name, "--event-log", log, ...flags, ...args], within, env).then(
      ({ stdout }) => ({ output: stdout, error: undefined }),
      (error: unknown) => ({ output: messageOf(error), error }),
    );
    const events = await readFile(log, "utf8").catch(() => "");
    const summary = summaryOf(events, (performance.now() - begun) / 1_000);
    if (ended.error !== undefined) throw new EngineError(`pulumi ${verb} of ${name}`, summary, ended.output, ended.error);
    return summary;
  };
  const changing = ["--yes", "--skip-preview"];
  return {
    name,
    preview: (options) => operate("preview", [], options),
    up: (options) => operate("up", changing, options),
    refresh: (options) => operate("refresh", changing, options),
    // With its preview, as a person does it: it stops at what is protected before anything is gone.
    destroy: (options) => operate("destroy", ["--yes"], options),
    async exported(secrets) {
      const { stdout } = await pulumi(["stack", "export", "--stack", name, ...(secrets === undefined ? [] : ["--show-secrets"])], 60);
      const { deployment } = JSON.parse(stdout) as { readonly deployment: { readonly resources?: readonly StateResource[] } };
      return { text: stdout, resources: deployment.resources ?? [] };
    },
    lose: async (config) => {
      await pulumi(["stack", "rm", name, "--force", "--yes"], 60);
      await init(config);
    },
    remove: async () => {
      await pulumi(["stack", "rm", name, "--yes"], 60);
      await rm(at(`project/Pulumi.${name}.yaml`), { force: true });
    },
  };
}
