import * as pulumi from "@pulumi/pulumi";

/**
 * Options of a resource that takes over what exists under `id`, where anything does. Where the state has that very id
 * the engine takes no notice; where it has none, it imports the resource and then brings it to what is declared, instead
 * of failing because the name is taken. Danger: where the state knows the resource by another id than the one that it is
 * imported by (R2's buckets, what is imported as `ID@REGION`), the engine replaces it: only what the state does not
 * remember may be taken over.
 */
export const adopt = (options: pulumi.CustomResourceOptions, id: pulumi.ID | undefined): pulumi.CustomResourceOptions => (id === undefined ? options : { ...options, import: id });

/** What the stack's state held when the program began. */
export interface RememberedState {
  has(type: string, name: string): boolean;
}

/** The engine's own function for it; what it answers has every output in the clear, so it goes no further than here. */
const readState = "pulumi:pulumi:readStackResourceOutputs";

/**
 * The resources that the stack's state remembers, also after an `up` that broke off: outputs of the stack would not do,
 * as an `up` that fails saves none. Await it before anything is declared, or what is declared stands in it too. What
 * exists and is not remembered is a lost state's, and is to be taken over.
 */
export async function rememberedState(): Promise<RememberedState> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const answer: unknown = await pulumi.runtime.invoke(readState, { stackName });
  const outputs = typeof answer === "object" && answer !== null && "outputs" in answer ? answer.outputs : undefined;
  if (typeof outputs !== "object" || outputs === null) throw new Error(`the engine does not say what the state of ${stackName} holds`);
  const held = new Set(Object.keys(outputs).map(typeAndName));
  return { has: (type, name) => held.has(`${type} ${name}`) };
}

/** `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`; the parents' types stand before the last `$`. */
function typeAndName(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  return `${types.split("$").at(-1) ?? ""} ${name.join("::")}`;
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
