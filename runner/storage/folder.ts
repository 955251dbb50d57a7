import { randomBytes } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { access, constants, mkdir, open, readdir, realpath, rename, rm, rmdir, stat, statfs, type FileHandle } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { addAbortSignal } from "node:stream";
import { pathToFileURL } from "node:url";
import type { FolderBackendConfig } from "../config.ts";
import type { ByteRange, ListedObject, PutOptions, StorageBackend } from "./backend.ts";
import { faultOf, StorageError, toStorageError } from "./faults.ts";
import { checkKey } from "./keys.ts";

/** Where objects are written before they are whole; on the same file system, and no key begins with a dot. */
const incoming = ".incoming";
/** An unfinished file that is older was left by a run that was killed. In ms. */
const abandonedAfter = 24 * 3_600 * 1_000;

/**
 * A folder of this machine, or one that is mounted. The folder itself is never made: where it is missing, its disk
 * is not mounted, and a backup would land on the disk below.
 */
export class FolderBackend implements StorageBackend {
  readonly kind = "folder";
  readonly name: string;
  readonly #root: string;
  #requests = 0;

  constructor(config: FolderBackendConfig) {
    this.name = config.name;
    this.#root = config.path;
  }

  get requests(): number {
    return this.#requests;
  }

  uri(key: string): string {
    return pathToFileURL(join(this.#root, key)).href;
  }

  put(key: string, source: Readable | Uint8Array, options: PutOptions = {}): Promise<{ readonly bytes: number }> {
    return this.#request(key, async () => {
      const path = this.#path(key);
      await this.check();
      const temporary = join(this.#root, incoming, `${Date.now()}-${randomBytes(6).toString("hex")}`);
      await mkdir(dirname(temporary), { recursive: true, mode: 0o700 });
      await this.#sweep();
      try {
        const bytes = await writeWhole(temporary, source, options);
        await this.#makeParents(path);
        await rename(temporary, path);
        await syncFolder(dirname(path));
        return { bytes };
      } finally {
        await rm(temporary, { force: true });
        if (source instanceof Readable) source.destroy();
      }
    });
  }

  get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Readable> {
    return this.#request(key, async () => {
      const path = await this.#existing(key);
      const { size } = await stat(path);
      if (range !== undefined && range.offset >= size) throw new StorageError("missing-object", `the object has ${size} bytes, and byte ${range.offset} was asked for`, this.#where(key));
      const out = new PassThrough();
      const file = createReadStream(path, { highWaterMark: 256 * 1024, ...(range === undefined ? {} : { start: range.offset, end: range.offset + range.length - 1 }) });
      file.once("error", (error) => out.destroy(toStorageError(error, this.#where(key))));
      out.once("close", () => file.destroy());
      file.pipe(out);
      out.on("error", () => undefined); // whoever reads it hears of it, also where it comes before they do
      return signal === undefined ? out : addAbortSignal(signal, out);
    });
  }

  async read(key: string, signal?: AbortSignal): Promise<Buffer> {
    return buffer(await this.get(key, undefined, signal));
  }

  head(key: string): Promise<{ readonly bytes: number; readonly modifiedAt: Date } | undefined> {
    return this.#request(key, async () => {
      await this.check();
      try {
        const { size, mtime } = await stat(await this.#existing(key));
        return { bytes: size, modifiedAt: mtime };
      } catch (error) {
        if (faultOf(toStorageError(error, this.#where(key))) === "missing-object") return undefined;
        throw error;
      }
    });
  }

  async *list(prefix: string, after?: string): AsyncIterable<ListedObject> {
    this.#requests += 1;
    await this.check();
    yield* this.#walk("", prefix, after);
  }

  remove(keys: readonly string[]): Promise<void> {
    return this.#request(keys[0] ?? "", async () => {
      await this.check();
      for (const key of keys) {
        const path = this.#path(key);
        await rm(path, { force: true });
        await this.#removeEmptyParents(path);
      }
    });
  }

  available(): Promise<number | undefined> {
    return this.#request("", async () => {
      const { bavail, bsize } = await statfs(this.#root);
      return bavail * bsize;
    });
  }

  async check(): Promise<void> {
    try {
      await access(this.#root, constants.R_OK | constants.X_OK);
      await this.#mustBeFolder();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new StorageError("missing-bucket", "the folder does not exist (is its disk mounted?)", `backend ${this.name}, ${this.#root}`, error);
      throw toStorageError(error, `backend ${this.name}, ${this.#root}`);
    }
  }

  close(): void {
    // nothing is held open between two calls
  }

  async #mustBeFolder(): Promise<void> {
    if (!(await stat(this.#root)).isDirectory()) throw new StorageError("missing-bucket", "this is no folder", `backend ${this.name}, ${this.#root}`);
  }

  #where(key: string): string {
    return `backend ${this.name}, ${this.uri(key)}`;
  }

  #path(key: string): string {
    return join(this.#root, ...checkKey(key, this.name).split("/"));
  }

  /** The real path of an object; a symbolic link that leads out of the folder is no object. */
  async #existing(key: string): Promise<string> {
    const path = await realpath(this.#path(key));
    await this.#mustBeInside(path, key);
    if (!(await stat(path)).isFile()) throw new StorageError("missing-object", "the object does not exist", this.#where(key));
    return path;
  }

  async #mustBeInside(path: string, key: string): Promise<void> {
    if (!path.startsWith((await realpath(this.#root)) + sep)) throw new StorageError("bad-key", "a symbolic link leads out of the folder", this.#where(key));
  }

  /** Makes the folders above an object, each of them durable. */
  async #makeParents(path: string): Promise<void> {
    const parent = dirname(path);
    const first = await mkdir(parent, { recursive: true, mode: 0o700 });
    if (parent !== this.#root) await this.#mustBeInside(await realpath(parent), parent);
    for (let made = parent; first !== undefined && made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  }

  async #removeEmptyParents(path: string): Promise<void> {
    for (let folder = dirname(path); folder !== this.#root && folder.startsWith(this.#root); folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch (error) {
        if (["ENOTEMPTY", "EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
        throw error;
      }
    }
  }

  /** Removes what killed runs left unfinished. */
  async #sweep(): Promise<void> {
    const folder = join(this.#root, incoming);
    for (const name of await readdir(folder)) {
      if (Date.now() - Number(name.split("-")[0]) > abandonedAfter) await rm(join(folder, name), { force: true });
    }
  }

  /** In the order of the keys as S3 has it: by whole paths, where `a-b` comes before `a/b`. */
  async *#walk(folder: string, prefix: string, after: string | undefined): AsyncGenerator<ListedObject> {
    let entries: Dirent[];
    try {
      entries = await readdir(join(this.#root, folder), { withFileTypes: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" && folder !== "") return; // removed meanwhile
      throw toStorageError(error, this.#where(folder));
    }
    const names = entries
      .filter((entry) => !entry.name.startsWith(".") && (entry.isFile() || entry.isDirectory()))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const key of names) {
      if (key.endsWith("/")) {
        const mayHold = key.startsWith(prefix) || prefix.startsWith(key);
        const isAfter = after === undefined || after.startsWith(key) || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
        if (mayHold && isAfter) yield* this.#walk(key, prefix, after);
      } else if (key.startsWith(prefix) && (after === undefined || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)) {
        const found = await stat(join(this.#root, key)).catch((error: unknown) => {
          if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
          throw toStorageError(error, this.#where(key));
        });
        if (found !== undefined) yield { key, bytes: found.size, modifiedAt: found.mtime };
      }
    }
  }

  async #request<T>(key: string, work: () => Promise<T>): Promise<T> {
    this.#requests += 1;
    try {
      return await work();
    } catch (error) {
      throw toStorageError(error, this.#where(key));
    }
  }
}

async function writeWhole(path: string, source: Readable | Uint8Array, { signal, onTaken }: PutOptions): Promise<number> {
  const file = await open(path, "wx", 0o600);
  try {
    const stop = () => {
      if (source instanceof Readable) source.destroy(signal?.reason instanceof Error ? signal.reason : undefined);
    };
    signal?.addEventListener("abort", stop, { once: true });
    signal?.throwIfAborted();
    let bytes = 0;
    for await (const chunk of source instanceof Readable ? (source as AsyncIterable<Uint8Array>) : [source]) {
      await writeFully(file, chunk);
      bytes += chunk.length;
      onTaken?.(chunk.length);
    }
    signal?.removeEventListener("abort", stop);
    signal?.throwIfAborted();
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) written += (await file.write(chunk, written)).bytesWritten;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
