import { dump, load } from "js-yaml";

/** A configuration file as it stands in a ConfigMap: read for the rules, and written again by the test that breaks it. */
export interface TextFormat {
  read(text: string): unknown;
  write(value: unknown): string;
}

const json: TextFormat = { read: (text) => JSON.parse(text) as unknown, write: (value) => JSON.stringify(value) };
const yaml: TextFormat = { read: (text) => load(text), write: (value) => dump(value) };

/** Sections of `key=value`, as pgBackRest has them; a key that stands several times has a list. */
const sections: TextFormat = {
  read(text) {
    const read: Record<string, Record<string, string | string[]>> = {};
    let section: Record<string, string | string[]> = {};
    for (const line of text.split("\n").map((one) => one.trim())) {
      const name = /^\[(.+)\]$/.exec(line)?.[1];
      const equals = line.indexOf("=");
      if (name !== undefined) section = read[name] ??= {};
      else if (line !== "" && !line.startsWith("#") && equals > 0) {
        const key = line.slice(0, equals).trim();
        const value = line.slice(equals + 1).trim();
        const before = section[key];
        section[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
      }
    }
    return read;
  },
  write(value) {
    const lines = (section: unknown): readonly string[] => Object.entries(Object(section) as object).flatMap(([key, one]: [string, unknown]) => (Array.isArray(one) ? one : [one]).map((text) => `${key}=${String(text)}`));
    return Object.entries(Object(value) as object).map(([name, section]: [string, unknown]) => [`[${name}]`, ...lines(section), ""].join("\n")).join("\n");
  },
};

/** The format of a file, by its name; a property's text that is in no file is JSON, as AWS' policies are. */
export function formatOf(file: string): TextFormat {
  if (file.endsWith(".yml") || file.endsWith(".yaml")) return yaml;
  return file.endsWith(".conf") ? sections : json;
}
