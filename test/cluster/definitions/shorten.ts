import { text } from "node:stream/consumers";
import { load } from "js-yaml";

/** A definition without its descriptions; a property that is itself called `description` stays. */
function shortened(value: unknown, names = false): unknown {
  if (Array.isArray(value)) return value.map((one) => shortened(one));
  if (typeof value !== "object" || value === null) return value;
  const entries: [string, unknown][] = Object.entries(value);
  return Object.fromEntries(entries.filter(([key, one]) => names || key !== "description" || typeof one !== "string").map(([key, one]) => [key, shortened(one, key === "properties" && !names)]));
}

process.stdout.write(`${JSON.stringify(shortened(load(await text(process.stdin))))}\n`);
