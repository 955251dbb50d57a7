import type * as pulumi from "@pulumi/pulumi";

/** What an output came to, once its program has run. */
export const read = <T>(output: pulumi.Output<T>): Promise<T> =>
  new Promise((resolve) => {
    output.apply((value) => resolve(value));
  });

/** Whether the engine would encrypt it. */
export async function isSecret(output: unknown): Promise<boolean> {
  return typeof output === "object" && output !== null && "isSecret" in output && (await output.isSecret) === true;
}
