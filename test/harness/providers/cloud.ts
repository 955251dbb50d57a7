import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Properties } from "./wire.ts";

/** Something that exists, whoever knows of it. Values are plain: a cloud knows nothing of Pulumi's secrets. */
export interface Thing {
  /** Of the provider, e.g. `aws`. */
  readonly provider: string;
  /** e.g. `aws:s3/bucket:Bucket`. */
  readonly type: string;
  /** A region of AWS, a cluster of Kubernetes, a server of PostgreSQL; empty where there is but one place. */
  readonly location: string;
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

export type ThingKey = Pick<Thing, "provider" | "type" | "location" | "id">;

/**
 * What exists outside of any state of Pulumi, a file a thing, so that it outlives a lost state, the providers' process
 * and the engine, and so that a test can look at it and change it behind Pulumi's back.
 */
export class Cloud {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** From now on nothing at these places answers, and what is there is not seen; none: all is well again. */
  lose(locations: readonly string[]): void {
    writeFileSync(this.lost, locations.map((location) => `${location}\n`).join(""));
  }

  /** From now on nothing of the program that has one of these names can be made or changed; none: all is well again. */
  fail(names: readonly string[]): void {
    writeFileSync(this.failing, names.map((name) => `${name}\n`).join(""));
  }

  fails(name: string): boolean {
    return lines(this.failing).includes(name);
  }

  /** @throws Error where the place does not answer */
  reach(location: string): void {
    if (this.lostLocations().includes(location)) throw new Error(`${location} does not answer: connection timed out`);
  }

  find(key: ThingKey): Thing | undefined {
    this.reach(key.location);
    return read(this.path(key));
  }

  put(thing: Thing): void {
    this.reach(thing.location);
    const path = this.path(thing);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, JSON.stringify(thing));
    renameSync(`${path}.new`, path);
  }

  remove(key: ThingKey): void {
    rmSync(this.path(key), { force: true });
  }

  /** Everything of a type, or of all types, in the order of location and id. */
  all(type?: string): readonly Thing[] {
    const lost = this.lostLocations();
    const folders = type === undefined ? list(this.folder) : [safe(type)];
    return folders
      .flatMap((folder) => list(join(this.folder, folder)).map((file) => read(join(this.folder, folder, file))))
      .filter((thing): thing is Thing => thing !== undefined && !lost.includes(thing.location))
      .toSorted((a, b) => (`${a.type} ${a.location} ${a.id}` < `${b.type} ${b.location} ${b.id}` ? -1 : 1));
  }

  private get lost(): string {
    return `${this.folder}.lost`;
  }
  private get failing(): string {
    return `${this.folder}.failing`;
  }
  private lostLocations(): readonly string[] {
    return lines(this.lost);
  }

  private path({ type, location, id }: ThingKey): string {
    return join(this.folder, safe(type), `${createHash("sha256").update(`${location}\n${id}`).digest("hex").slice(0, 40)}.json`);
  }
}

const lines = (path: string): readonly string[] => (existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : []);

const safe = (type: string): string => encodeURIComponent(type);

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => !name.endsWith(".new"));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function read(path: string): Thing | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Thing;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";
