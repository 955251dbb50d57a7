import { hasUnknown, pathText, readPath, type Path, type Reading } from "./value.ts";

/** What a resource is, as the engine, a test or an exported state shows it. Unset optional parts are left out. */
export interface ResourceFacts {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** Inputs at a preview, the state's inputs where a state is read; unknown values are `unknown`. */
  readonly props: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
  /** Of the component that it belongs to. */
  readonly parent: string | undefined;
  /** By property, the URNs of the resources that its value comes from: known even where the value is not. */
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  /** Which stack it is of; told apart where several are judged at once. */
  readonly stack: string;
}

/** Every property that was looked at, for the table from which the tests break one after the other. */
export type ReadLog = (resource: ResourceFacts, path: Path) => void;

/** Reads a resource's properties, and remembers which. */
export class ResourceReader {
  readonly facts: ResourceFacts;
  readonly #root: unknown;
  readonly #at: Path;
  readonly #log: ReadLog | undefined;

  constructor(facts: ResourceFacts, log?: ReadLog, root: unknown = facts.props, at: Path = []) {
    this.facts = facts;
    this.#log = log;
    this.#root = root;
    this.#at = at;
  }

  /** Where this reader stands in the resource, for messages; empty at its top. */
  get where(): string {
    return pathText(this.#at);
  }

  /** The text of a path below this one, as messages write it. */
  pathOf(path: string | Path): string {
    return pathText([...this.#at, ...partsOf(path)]);
  }

  /** Whether a path is set and known. It does not tell what stands there, so nothing can rest on that unremembered. */
  stateOf(path: string | Path): Reading["state"] {
    return readPath(this.#root, partsOf(path)).state;
  }

  /** Whether anything at a path, or below it, is not known. Likewise. */
  hasUnknown(path: string | Path): boolean {
    const reading = readPath(this.#root, partsOf(path));
    return reading.state === "unknown" || (reading.state === "known" && hasUnknown(reading.value));
  }

  /** What stands at a path below this one, e.g. `rules[0].status` or `["metadata", "labels", "app.kubernetes.io/name"]`. */
  read(path: string | Path): Reading {
    const parts = partsOf(path);
    this.#log?.(this.facts, [...this.#at, ...parts]);
    return readPath(this.#root, parts);
  }

  /** The members of a list, each with a reader of its own; `undefined` where the list itself is unknown. Unset: none. */
  list(path: string | Path): readonly ResourceReader[] | undefined {
    const reading = this.read(path);
    if (reading.state === "unknown") return undefined;
    if (reading.state === "unset" || !Array.isArray(reading.value)) return [];
    const parts = partsOf(path);
    return reading.value.map((member: unknown, index) => new ResourceReader(this.facts, this.#log, member, [...this.#at, ...parts, index]));
  }

  /** JSON text at a path as a reader of what it says, its paths behind the property's; for policies of AWS. */
  json(path: string | Path): ResourceReader | "unknown" | "unset" | "invalid" {
    return this.parsed(path, JSON.parse);
  }

  /** The same for text of any other format; what `parse` throws on is invalid. See `text.ts`. */
  parsed(path: string | Path, parse: (text: string) => unknown): ResourceReader | "unknown" | "unset" | "invalid" {
    const reading = this.read(path);
    if (reading.state !== "known") return reading.state;
    const at = [...this.#at, ...partsOf(path)];
    if (typeof reading.value !== "string") return new ResourceReader(this.facts, this.#log, reading.value, at);
    try {
      return new ResourceReader(this.facts, this.#log, parse(reading.value), at);
    } catch {
      return "invalid"; // whoever asks says so, with the path
    }
  }

  /** The keys of an object at a path; none where it is unset or unknown. */
  keys(path: string | Path): readonly string[] {
    const reading = this.read(path);
    return reading.state === "known" && typeof reading.value === "object" && reading.value !== null ? Object.keys(reading.value) : [];
  }
}

/** `a.b[0].c` in its parts. A key with a dot in it is given as a list of parts. */
function partsOf(path: string | Path): Path {
  if (typeof path !== "string") return path;
  return path.split(/\.|(?=\[)/).filter((part) => part !== "").map((part) => (/^\[\d+\]$/.test(part) ? Number(part.slice(1, -1)) : part));
}
