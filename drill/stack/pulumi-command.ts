import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { DrError, messageOf } from "../../runner/errors.ts";

export interface PulumiCommandSource {
  /** The command on PATH, of a version that the packages go with. */
  readonly find: () => Promise<PulumiCommand>;
  /** From Pulumi's own site, into `~/.pulumi/versions`. */
  readonly install: () => Promise<PulumiCommand>;
}

const automation: PulumiCommandSource = { find: () => PulumiCommand.get(), install: () => PulumiCommand.install() };

/**
 * The Pulumi command: on PATH, else installed for this user.
 * @throws DrError `unavailable` where neither works
 */
export async function findPulumi(source = automation): Promise<PulumiCommand> {
  try {
    return await source.find();
  } catch (missing) {
    return source.install().catch((cause: unknown) => {
      throw new DrError({
        kind: "unavailable",
        what: `the command pulumi is not here (${firstLine(missing)}), and could not be installed (${firstLine(cause)})`,
        where: "PATH",
        todo: "Install it as https://www.pulumi.com/docs/install says, in a version that @pulumi/pulumi of package.json goes with, and put its folder on PATH.",
        cause,
      });
    });
  }
}

const firstLine = (error: unknown): string => messageOf(error).trim().split("\n")[0] ?? "";
