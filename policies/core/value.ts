/** A value that only an `up` will tell. Everything else of a resource is known at preview. */
export const unknown: unique symbol = Symbol("unknown");
export type Unknown = typeof unknown;

/** What stands at a path of a resource. */
export type Reading = { readonly state: "known"; readonly value: unknown } | { readonly state: "unset" } | { readonly state: "unknown" };

export type Path = readonly (string | number)[];

/** `spec.containers[0].image`: as messages and tables write a path. */
export const pathText = (path: Path): string => path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
/** `spec.containers[*].image`: the same for every member of a list, and for files and settings that are numbered through
 * (`patroni-pg-*.yml`, `repo*-cipher-type`). */
export const pathPattern = (path: Path): string => pathText(path).replaceAll(/\[\d+\]/g, "[*]").replaceAll(/(?<=-)\d+(?=\.yml\b)|(?<=\.repo)\d+(?=-)/g, "*");

/** Follows a path into plain values; what lies behind an unknown value is unknown as well. */
export function readPath(root: unknown, path: Path): Reading {
  let value = root;
  for (const part of path) {
    if (value === unknown) return { state: "unknown" };
    if (typeof value !== "object" || value === null) return { state: "unset" };
    value = Object.getOwnPropertyDescriptor(value, part)?.value;
  }
  if (value === unknown) return { state: "unknown" };
  return value === undefined || value === null ? { state: "unset" } : { state: "known", value };
}

/** Whether any part of a value is only told by an `up`. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}

/** A property's value as messages write it: `is "Suspended"`, `is not set`. */
export const shown = (value: unknown): string => (value === undefined ? "is not set" : `is ${JSON.stringify(value)}`);
