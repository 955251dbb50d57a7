/** What must be true whatever was killed: each breach is a sentence. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { leasesPrefix } from "../../plan/layout.ts";
import { openDepot } from "../../runner/archive/open.ts";
import { archiveDetails } from "../../runner/archive/recover.ts";
import { objectSchema, outcomeOf, type BackupRecord, type CopyOk, type StoredObject } from "../../runner/catalog/record.ts";
import type { RunContext } from "../../runner/context.ts";
import { messageOf } from "../../runner/errors.ts";
import { openRepository, productionSite, repositoriesOf } from "../../runner/stores/postgres/repositories.ts";
import { readInfo } from "../../runner/stores/postgres/info.ts";
import { waitFor } from "../../runner/system/wait.ts";
import { stillRunning, type Process } from "./kill.ts";
import { marker } from "./job.ts";

/** Seconds for the children of a killed run to end: what they write to is gone. */
const childrenEndWithin = 10;

/** Remembers what was read already: an object never changes, and at the very end all are read again. */
export class Inspector {
  readonly #context: RunContext;
  readonly #seen = new Set<string>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  forget(): void {
    this.#seen.clear();
  }

  /** Every copy that a record calls good is there, whole; every record can be read. */
  async catalog(): Promise<string[]> {
    const { records, problems } = await this.#context.catalog.list();
    const wrong = problems.map(({ backend, key, what }) => `${key ?? "the catalog"} in ${backend}: ${what}`);
    const labels = records.some(({ encryption }) => encryption === "pgbackrest-aes-256-cbc") ? await this.#labels() : new Map<string, ReadonlySet<string>>();
    const now = this.#context.clock.now().getTime();
    for (const record of records) {
      // What is over may be half gone: its objects go first and its record last.
      if (outcomeOf(record) === "failed" || (record.expiresAt !== null && Date.parse(record.expiresAt) < now)) continue;
      for (const copy of record.copies) if (copy.status === "ok") wrong.push(...(await this.#copy(record, copy, labels)).map((what) => `${record.id} is listed as good in ${copy.backend}, and ${what}`));
    }
    return wrong;
  }

  async #copy(record: BackupRecord, copy: CopyOk, labels: ReadonlyMap<string, ReadonlySet<string>>): Promise<string[]> {
    if (record.encryption === "pgbackrest-aes-256-cbc") return labels.get(copy.backend)?.has(copy.label ?? "") === true ? [] : [`pgBackRest does not list ${copy.label ?? "it"}`];
    if (record.store === "archive") return this.#archive(record, copy);
    const wrong: string[] = [];
    for (const object of objectsOf(record)) {
      const place = `${copy.backend} ${object.key}`;
      if (this.#seen.has(place)) continue;
      const what = await this.#object(copy.backend, object);
      if (what === undefined) this.#seen.add(place);
      else wrong.push(what);
    }
    return wrong;
  }

  async #object(name: string, { key, bytes, sha256 }: StoredObject): Promise<string | undefined> {
    try {
      const body = await this.#context.backends.find((backend) => backend.name === name)?.read(key);
      if (body?.length !== bytes) return `${key} has ${body?.length ?? "no"} bytes, not ${bytes}`;
      return createHash("sha256").update(body).digest("hex") === sha256 ? undefined : `${key} is not what was stored`;
    } catch (error) {
      return `${key} cannot be read: ${messageOf(error)}`;
    }
  }

  async #archive(record: BackupRecord, { bytes }: CopyOk): Promise<string[]> {
    if (this.#seen.has(record.id)) return [];
    const depot = await openDepot(this.#context);
    try {
      const { reference } = archiveDetails(record);
      const { ok, detail } = await depot.look(reference, bytes);
      if (!ok) return [`the archive has ${detail ?? "another size"}`];
      const found = await depot.retrieve(reference, "standard", undefined);
      const hash = createHash("sha256");
      if (found.state === "ready") for await (const chunk of found.body as AsyncIterable<Buffer>) hash.update(chunk);
      if (found.state !== "ready" || hash.digest("hex") !== record.details["sha256"]) return ["the archive is not what was stored"];
      this.#seen.add(record.id);
      return [];
    } catch (error) {
      return [`the archive cannot be read: ${messageOf(error)}`];
    } finally {
      depot.close();
    }
  }

  /** What pgBackRest lists in each repository. */
  async #labels(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const context = this.#context;
    const listed = repositoriesOf(context).map(async (repository) => {
      const { backups } = await readInfo(await openRepository(context, repository, productionSite(context)));
      return [repository.name, new Set(backups.map(({ label }) => label))] as const;
    });
    return new Map(await Promise.all(listed));
  }

  /** After a run that followed a kill: nothing that would hinder or betray. */
  async tidiness(children: readonly Process[]): Promise<string[]> {
    const wrong: string[] = [];
    await waitFor("the end of the killed run's children", () => stillRunning(children).length === 0, { within: childrenEndWithin, every: 0.05 }).catch(() => undefined);
    for (const { pid, command } of stillRunning(children)) wrong.push(`a child of the killed run is still at work: ${pid} ${command}`);
    const { workDirectory } = this.#context.config;
    for (const path of await filesUnder(workDirectory)) {
      const name = relative(workDirectory, path);
      if (/^pgbackrest\/lock\/.*backup\.lock$/.test(name)) wrong.push(`a lock stays: ${name}`);
      else if (!name.startsWith("pgbackrest/")) wrong.push(`a file stays in the work directory: ${name}`);
      if (await holdsMarker(path)) wrong.push(`a file can be read by whoever finds it: ${name}`);
    }
    for (const backend of this.#context.backends) for await (const { key } of backend.list(leasesPrefix)) wrong.push(`a lease stays in ${backend.name}: ${key}`);
    return wrong;
  }
}

/** The objects that a record's copy is made of; those of the copied bucket stand in its index. */
function objectsOf(record: BackupRecord): readonly StoredObject[] {
  if (record.store !== "objects") return record.objects;
  const { index } = record.details;
  return Array.isArray(index) ? index.map((file) => objectSchema.parse(file)) : [];
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function holdsMarker(path: string): Promise<boolean> {
  let tail = "";
  try {
    for await (const chunk of createReadStream(path, "latin1") as AsyncIterable<string>) {
      if ((tail + chunk).includes(marker)) return true;
      tail = chunk.slice(-marker.length);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // the archiver's spool comes and goes
  }
  return false;
}
