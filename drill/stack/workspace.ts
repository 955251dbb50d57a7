import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { findPulumi } from "./pulumi-command.ts";

/** Where drill stacks are: the project, its state, and what opens the state. */
export interface DrillStackPlace {
  /** The project's folder, with Pulumi.yaml; reached as a folder, as nothing imports stacks/. */
  readonly workDir: string;
  /** Of the state: `file:///DIR`, `s3://BUCKET?region=…`. Default: where the user is logged in. */
  readonly backendUrl?: string;
  /** Holds the passphrase of the stacks' secrets and nothing else. */
  readonly passphraseFile: string;
  /** Pulumi's own folder, for plugins and credentials. Default: `~/.pulumi`. */
  readonly pulumiHome?: string;
  /** Added to ours for the command and the program, e.g. the cloud's credentials. */
  readonly env?: Readonly<Record<string, string>>;
}

export const secretsProvider = "passphrase";

/** The project as the Automation API sees it. */
export async function openWorkspace({ workDir, backendUrl, passphraseFile, pulumiHome, env }: DrillStackPlace): Promise<LocalWorkspace> {
  return LocalWorkspace.create({
    workDir,
    pulumiCommand: await findPulumi(),
    secretsProvider,
    ...(pulumiHome === undefined ? {} : { pulumiHome }),
    envVars: { ...env, PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile, PULUMI_SKIP_UPDATE_CHECK: "true", ...(backendUrl === undefined ? {} : { PULUMI_BACKEND_URL: backendUrl }) },
  });
}
