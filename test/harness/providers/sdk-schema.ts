import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

export type OutputKind = "string" | "number" | "boolean" | "list" | "object";

/** What a resource of a provider takes and gives, as far as its SDK says so. */
export interface ResourceSchema {
  readonly inputs: ReadonlySet<string>;
  /** What the cloud alone computes. */
  readonly computed: ReadonlyMap<string, OutputKind>;
  /** Which outputs are secret whatever went in. */
  readonly secret: ReadonlySet<string>;
}

const require = createRequire(import.meta.url);
const known = new Map<string, ResourceSchema | undefined>();

/**
 * The schema of `PACKAGE:MODULE/file:Type`, read from the installed SDK, which is generated from the provider's own
 * schema: so the simulated providers refuse what the real ones do not know. `undefined`: there is no such type.
 */
export function schemaOf(token: string): ResourceSchema | undefined {
  if (!known.has(token)) known.set(token, read(token));
  return known.get(token);
}

function read(token: string): ResourceSchema | undefined {
  const file = fileOf(token);
  const code = file === undefined ? undefined : readFileSync(`${file}.js`, "utf8");
  if (file === undefined || code?.includes(`__pulumiType = '${token}'`) !== true) return undefined;
  const types = readFileSync(`${file}.d.ts`, "utf8");
  const assigned = [...code.matchAll(/resourceInputs\["(\w+)"\] = (.*);/g)].map(([, name = "", value = ""]) => ({ name, value }));
  const computed = assigned.filter(({ value }) => value === "undefined /*out*/").map(({ name }) => name);
  return {
    inputs: new Set(assigned.filter(({ value }) => value.includes("args")).map(({ name }) => name)),
    computed: new Map(computed.map((name) => [name, kindOf(name, types)])),
    secret: new Set([...code.matchAll(/additionalSecretOutputs: \[([^\]]*)\]/g)].flatMap(([, names = ""]) => [...names.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name))),
  };
}

/** Without its ending. Names of files are like the token's, but for capitals in some (`r2Bucket` is in `r2bucket.js`). */
function fileOf(token: string): string | undefined {
  const [provider = "", module = ""] = token.split(":");
  const path = join(dirname(require.resolve(`@pulumi/${provider}/package.json`)), module.replace(/^index\//, ""));
  const folder = dirname(path);
  const name = existsSync(folder) ? readdirSync(folder).find((one) => one.toLowerCase() === `${basename(path).toLowerCase()}.js`) : undefined;
  return name === undefined ? undefined : join(folder, name.slice(0, -".js".length));
}

function kindOf(name: string, types: string): OutputKind {
  const type = new RegExp(`readonly ${name}: pulumi\\.Output<(.*)>;`).exec(types)?.[1] ?? "string";
  if (type.includes("[]")) return "list";
  if (type.startsWith("string")) return "string";
  if (type.startsWith("number")) return "number";
  if (type.startsWith("boolean")) return "boolean";
  return "object";
}

/** The engine asks for a provider of the SDK's version. */
export function sdkVersion(provider: string): string {
  const { version } = require(`@pulumi/${provider}/package.json`) as { readonly version: string };
  return version;
}
