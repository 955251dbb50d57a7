import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

/** What could not be saved, and why. `record`: the backup that needs it. */
export interface UnsavedObject {
  readonly key: string;
  readonly why: string;
  readonly record?: string;
}

/** Shown and held in memory; the file has all of them. */
const shown = 20;

/** Objects that could not be saved: counted, some of them at hand, all of them in a file, one a line. */
export class Unsaved {
  readonly some: UnsavedObject[] = [];
  readonly #path: string;
  #file: FileHandle | undefined;
  #count = 0;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(folder: string, at: Date) {
    this.#path = join(folder, `rescue-${at.toISOString().replace(/[-:.]/g, "")}.jsonl`);
  }

  get count(): number {
    return this.#count;
  }

  /** `undefined` where everything was saved. */
  get file(): string | undefined {
    return this.#count === 0 ? undefined : this.#path;
  }

  /** One after the other, whoever calls. */
  add(object: UnsavedObject): Promise<void> {
    this.#count += 1;
    if (this.some.length < shown) this.some.push(object);
    const written = this.#writing.then(async () => {
      this.#file ??= await open(this.#path, "w", 0o600);
      await this.#file.write(`${JSON.stringify(object)}\n`);
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
  }
}
