import * as pulumi from "@pulumi/pulumi";

/** A component's arguments that cannot be right, with everything that is wrong with them, before anything is declared. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
  readonly problems: readonly string[];

  constructor(component: string, problems: readonly string[]) {
    super([`${component} cannot be declared:`, ...problems.map((problem) => `  ${problem}`)].join("\n"));
    this.problems = problems;
  }
}

/** Throws every problem at once; call it before `super` creates anything. */
export function refuse(component: string, problems: readonly (string | undefined | false)[]): void {
  const found = problems.filter((problem) => typeof problem === "string");
  if (found.length > 0) throw new ArgumentError(component, found);
}

/** Whether what is declared must outlive the stack, or must be gone with it: a drill's. */
export type Lifetime = "kept" | "ephemeral";

/** Options of a resource that holds data: `kept` is neither deleted by a mistake nor by the loss of the program. */
export const dataOptions = (parent: pulumi.Resource, lifetime: Lifetime): pulumi.CustomResourceOptions =>
  lifetime === "kept" ? { parent, protect: true, retainOnDelete: true } : { parent };

/** What a component's `dependsOn` does not do: each of its children waits for `first`. For its `transformations`. */
export const childrenAfter = (first: readonly pulumi.Resource[]): pulumi.ResourceTransformation => ({ props, opts }) => ({ props, opts: pulumi.mergeOptions(opts, { dependsOn: [...first] }) });

/** What the engine keeps of a component's arguments: of the plan its name, as the whole of it is code and would stand in
 * the state once for each component. */
function registered(args: object): pulumi.Inputs {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(args);
  return Object.fromEntries(entries.map(([key, value]) => [key, key === "plan" && typeof value === "object" && value !== null && "name" in value ? value.name : value]));
}

/** `blackroad:storage:S3BackupBucket`: the folder of the component and its class. */
export abstract class Component extends pulumi.ComponentResource {
  constructor(folder: string, kind: string, name: string, args: object, options: pulumi.ComponentResourceOptions | undefined) {
    super(`blackroad:${folder}:${kind}`, name, registered(args), options);
  }
}
