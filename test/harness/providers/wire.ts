/**
 * Values as they pass between the engine and a provider: plain ones, unknown ones (at a preview, what a cloud has not
 * computed yet) and secret ones, which are wrapped. The marks are of sdk/go/common/resource.
 */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

export type Wire = string | number | boolean | null | undefined | readonly Wire[] | { readonly [key: string]: Wire };
export type Properties = Readonly<Record<string, Wire>>;

export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const isObject = (value: Wire): value is Properties => typeof value === "object" && value !== null && !Array.isArray(value);
const isList = (value: Wire): value is readonly Wire[] => Array.isArray(value);

export const isSecret = (value: Wire): boolean => isObject(value) && value[signatureKey] === secretSignature;
export const secret = (value: Wire): Wire => (value === undefined || isSecret(value) ? value : { [signatureKey]: secretSignature, value });

/** The value without any mark of secrecy; what is unknown stays so. */
export function plain(value: Wire): Wire {
  if (isList(value)) return value.map(plain);
  if (!isObject(value)) return value;
  if (value[signatureKey] === secretSignature || value[signatureKey] === outputSignature) return plain(value["value"]);
  return plainProperties(value);
}
export const plainProperties = (value: Properties): Properties => Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));

/** Whether anything in it is not known yet. */
export function hasUnknown(value: Wire): boolean {
  if (value === unknown) return true;
  if (isList(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

/** Equal in what they say, secret or not. What is unknown equals nothing: it may turn out to be anything. */
export function same(left: Wire, right: Wire): boolean {
  return !hasUnknown(left) && !hasUnknown(right) && canonical(plain(left)) === canonical(plain(right));
}

/** JSON with sorted keys and without what is null: the wire knows no difference between that and what is left out. */
function canonical(value: Wire): string {
  return JSON.stringify(value, (_, one: Wire) => (isObject(one) ? Object.fromEntries(Object.entries(one).filter(([, inner]) => inner !== null && inner !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1))) : one));
}

/** The text of a property, or `undefined` where it is none or not known. */
export function text(properties: Properties, key: string): string | undefined {
  const value = plain(properties[key]);
  return typeof value === "string" && value !== unknown ? value : undefined;
}

/** A list of objects, as plain values; empty where there is none. */
export function objects(properties: Properties, key: string): readonly Properties[] {
  const value = plain(properties[key]);
  return isList(value) ? value.filter(isObject) : [];
}

/** A list of texts; empty where there is none. */
export function texts(properties: Properties, key: string): readonly string[] {
  const value = plain(properties[key]);
  return isList(value) ? value.filter((one) => typeof one === "string") : [];
}
