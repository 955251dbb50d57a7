import * as pulumi from "@pulumi/pulumi";

/**
 * Options of a resource that takes over what exists under `id`, where anything does. Where the state has that very id
 * the engine takes no notice; where it has none, it imports the resource and then brings it to what is declared, instead
 * of failing because the name is taken. Danger: where the state knows the resource by another id than the one that it is
 * imported by (R2's buckets, what is imported as `ID@REGION`), the engine replaces it: only after a lost state.
 */
export const adopt = (options: pulumi.CustomResourceOptions, id: pulumi.ID | undefined): pulumi.CustomResourceOptions => (id === undefined ? options : { ...options, import: id });

/**
 * Whether the state remembers a run of this stack that came to its end, by an output that each such run gives. Where it
 * does not, the stack is new or its state was lost, and what exists nevertheless is to be taken over.
 */
export async function cameUpBefore(output: string): Promise<boolean> {
  const itself = new pulumi.StackReference("itself", { name: `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}` });
  const remembered: { readonly value?: unknown; readonly secretValue?: unknown } = await itself.getOutputDetails(output);
  return remembered.value !== undefined || remembered.secretValue !== undefined;
}

/**
 * What a provider's function found, or `undefined` where it says that there is none: providers know no other word for
 * that than an error.
 * @throws whatever else it says; no answer is no proof
 */
export async function ifThere<T>(lookup: Promise<T>, absent: RegExp): Promise<T | undefined> {
  try {
    return await lookup;
  } catch (error) {
    if (absent.test(String(error))) return undefined;
    throw error;
  }
}
