import { dump } from "js-yaml";
import { Secret, type Registered } from "./pulumi.ts";

/**
 * What a program registered, as text that reads well in a diff: one entry a resource, in the order of their names, with
 * those options that decide over data. Secrets are only said to be there.
 */
export function goldenText(all: readonly Registered[]): string {
  const names = new Map(all.map(({ urn, name, type }) => [urn, `${short(type)} ${name}`]));
  const entries = all.map((one) => [`${short(one.type)} ${one.name}`, entry(one, names)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => dump({ [key]: value }, { lineWidth: 160, noRefs: true, sortKeys: true })).join("");
}

/** `aws:s3/bucket:Bucket` is `aws:s3:Bucket`. */
const short = (type: string): string => type.replace(/\/[A-Za-z0-9]+:/, ":");

function entry(one: Registered, names: ReadonlyMap<string, string>): Record<string, unknown> {
  const provider = one.provider.split("::").slice(0, -1).join("::");
  const options = {
    parent: names.get(one.parent),
    protect: one.protect || undefined,
    retainOnDelete: one.retainOnDelete || undefined,
    provider: provider === "" ? undefined : (names.get(provider) ?? "default"),
    import: one.importId === "" ? undefined : one.importId,
    ignoreChanges: one.ignoreChanges.length === 0 ? undefined : one.ignoreChanges,
    deleteBeforeReplace: one.deleteBeforeReplace || undefined,
  };
  const shown = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return {
    ...(Object.keys(shown).length === 0 ? {} : { options: shown }),
    ...(Object.keys(one.inputs).length === 0 ? {} : { inputs: readable(one.inputs) }),
    ...(one.outputs === undefined || Object.keys(one.outputs).length === 0 ? {} : { outputs: readable(one.outputs) }),
  };
}

/** Policy documents and other JSON are shown as what they say; secrets as `[secret]`. */
function readable(value: unknown): unknown {
  if (typeof value === "string" && /^[[{]/.test(value)) {
    try {
      return { json: readable(JSON.parse(value)) };
    } catch {
      return value; // it only looks like JSON
    }
  }
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Secret) return "[secret]";
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, readable(one)]));
}
