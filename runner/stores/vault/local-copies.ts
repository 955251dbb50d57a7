import { open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Transform, type TransformCallback } from "node:stream";
import { retentionOf } from "./retention.ts";
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { makeFolder } from "../../system/files.ts";

/** How a copy on this machine went; the backends' copies never depend on it. */
export type LocalCopy =
  | { readonly status: "ok"; readonly path: string; readonly expired: readonly string[]; readonly expiryError?: string }
  | { readonly status: "failed"; readonly error: string };

/** Files of ours have a catalog's id as their name: nobody else's is ever taken for one. */
const ours = /^\.?((\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-vault-snapshot-[0-9a-f]{4})\.pgp(\.part)?$/;

interface OwnFile {
  readonly name: string;
  readonly madeAt: Date;
  /** Not finished: by a run that still runs, or that was killed. */
  readonly partial: boolean;
}

export function ownFile(name: string): OwnFile | undefined {
  const [, , year, month, day, hour, minute, second, milli, part] = ours.exec(name) ?? [];
  if (year === undefined) return undefined;
  const partial = part !== undefined;
  if (partial !== name.startsWith(".")) return undefined;
  return { name, madeAt: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milli}Z`), partial };
}

/**
 * Which files of a folder have had their time: whole copies after the retention, never the newest, and what a killed
 * run left behind once no run can still be at it.
 */
export function expiredCopies(names: readonly string[], now: Date, limits: { readonly retentionSeconds: number; readonly deadlineSeconds: number }): string[] {
  const files = names.flatMap((name) => ownFile(name) ?? []).sort((a, b) => a.madeAt.getTime() - b.madeAt.getTime());
  const newest = files.findLast(({ partial }) => !partial);
  const olderThan = ({ madeAt }: OwnFile, seconds: number) => now.getTime() - madeAt.getTime() > seconds * 1_000;
  return files.filter((file) => (file.partial ? olderThan(file, 2 * limits.deadlineSeconds) : file !== newest && olderThan(file, limits.retentionSeconds))).map(({ name }) => name);
}

/**
 * Writes what runs through it, an encrypted message, into a file of the folder as well (0600), which has its name only
 * when it is whole. A disk that is full, or a folder that cannot be written, stops the file and not the stream.
 */
export class LocalCopyWriter extends Transform {
  readonly #folder: string;
  readonly #id: string;
  #file: FileHandle | undefined;
  #error: string | undefined;
  #whole = false;

  private constructor(folder: string, id: string) {
    super();
    this.#folder = folder;
    this.#id = id;
  }

  /** Makes the folder where it is missing. A failure is told by `finish`. */
  static async open(folder: string, id: string): Promise<LocalCopyWriter> {
    const writer = new LocalCopyWriter(folder, id);
    try {
      await makeFolder(folder);
      writer.#file = await open(writer.#partial, "wx", 0o600);
    } catch (error) {
      writer.#error = messageOf(error);
    }
    return writer;
  }

  get #partial(): string {
    return join(this.#folder, `.${this.#id}.pgp.part`);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    void this.#write(chunk).then(() => done(null, chunk));
  }

  override _flush(done: TransformCallback): void {
    this.#whole = true;
    done();
  }

  async #write(chunk: Buffer): Promise<void> {
    if (this.#file === undefined) return;
    try {
      for (let written = 0; written < chunk.length; ) written += (await this.#file.write(chunk, written)).bytesWritten;
    } catch (error) {
      await this.#giveUp(messageOf(error));
    }
  }

  async #giveUp(error: string): Promise<void> {
    this.#error ??= error;
    await this.#file?.close().catch(() => undefined); // the first error says it
    this.#file = undefined;
    await rm(this.#partial, { force: true }).catch(() => undefined);
  }

  /** To be called when the stream has ended, well or not: only a whole copy is kept. */
  async finish(context: RunContext): Promise<LocalCopy> {
    if (!this.#whole) await this.#giveUp("the snapshot broke off");
    const path = join(this.#folder, `${this.#id}.pgp`);
    try {
      await this.#file?.sync();
      await this.#file?.close();
      if (this.#file !== undefined) await rename(this.#partial, path);
    } catch (error) {
      await this.#giveUp(messageOf(error));
    }
    const swept = await expire(context, this.#folder);
    if (this.#error !== undefined) return { status: "failed", error: this.#error };
    return { status: "ok", path, ...swept };
  }
}

async function expire({ clock, plan }: RunContext, folder: string): Promise<{ readonly expired: readonly string[]; readonly expiryError?: string }> {
  const expired: string[] = [];
  try {
    for (const name of expiredCopies(await readdir(folder), clock.now(), retentionOf(plan))) {
      await rm(join(folder, name), { force: true });
      expired.push(name);
    }
    return { expired };
  } catch (error) {
    return { expired, expiryError: messageOf(error) };
  }
}
