import type { ResourceReader } from "../../core/resource.ts";
import type { ResourceRule, Verdict } from "../../core/rule.ts";
import { formatOf } from "../../core/text.ts";

/** What the database's servers are configured by stands in ConfigMaps, as files. */
export const configMapType = "kubernetes:core/v1:ConfigMap";

/** Properties that say which files there are, and whose. */
export const fileSelectors: NonNullable<ResourceRule["selects"]> = ["data", "metadata.namespace"];

/** A drill's namespace; a database in it is restored from production's backups. */
export const isDrillNamespace = (name: unknown): boolean => typeof name === "string" && /^dr-drill-\d{8}/.test(name);
/** A restored database must not archive: recoveries would follow its timeline from then on. */
export function isRestored(resource: ResourceReader): boolean {
  const namespace = resource.read("metadata.namespace");
  return namespace.state === "known" && isDrillNamespace(namespace.value);
}

/** patroni.yml of each server. */
export const patroniFiles = (resource: ResourceReader, verdict: Verdict): readonly ResourceReader[] => filesOf(resource, verdict, /^patroni.*\.ya?ml$/);
/** The archiver's configuration, of every repository. */
export const pgbackrestFiles = (resource: ResourceReader, verdict: Verdict): readonly ResourceReader[] => filesOf(resource, verdict, /^pgbackrest.*\.conf$/);

function filesOf(resource: ResourceReader, verdict: Verdict, name: RegExp): readonly ResourceReader[] {
  if (resource.read("data").state === "unknown") verdict.unjudged(resource, "data");
  return resource.keys("data").filter((file) => name.test(file)).flatMap((file) => {
    const path = ["data", file];
    const parsed = resource.parsed(path, (text) => formatOf(file).read(text));
    if (typeof parsed === "object") return [parsed];
    if (parsed === "unknown") verdict.unjudged(resource, resource.pathOf(path));
    else verdict.violation(resource, resource.pathOf(path), "cannot be read as a configuration file");
    return [];
  });
}

const secondsIn: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3_600, d: 86_400 };
const bytesIn: Readonly<Record<string, number>> = { B: 1, kB: 1_024, MB: 1_024 ** 2, GB: 1_024 ** 3, TB: 1_024 ** 4 };

/** PostgreSQL's time, a bare number being seconds; `undefined` where it is none. */
export const secondsOf = (value: unknown): number | undefined => quantity(value, secondsIn, "s");
/** PostgreSQL's amount of WAL, a bare number being megabytes, in bytes; `undefined` where it is none. */
export const bytesOf = (value: unknown): number | undefined => quantity(value, bytesIn, "MB");

function quantity(value: unknown, units: Readonly<Record<string, number>>, usual: string): number | undefined {
  const found = /^\s*(-?\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/.exec(String(value));
  const factor = units[found?.[2] === "" ? usual : (found?.[2] ?? "")];
  return found === null || factor === undefined ? undefined : Number(found[1]) * factor;
}

/** The numbers of the repositories that a pgbackrest.conf configures. */
export const repositoriesOf = (file: ResourceReader): readonly string[] => [...new Set(file.keys("global").flatMap((key) => /^repo\d+(?=-)/.exec(key)?.[0] ?? []))];

/** Sections of a pgbackrest.conf beside `global`: of a stanza, or of a command. Each goes before `global`. */
export const sectionsOf = (file: ResourceReader): readonly string[] => file.keys([]).filter((section) => section !== "global");
