import { open, readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { DrError } from "../../runner/errors.ts";

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly modified: number;
}

async function filesUnder(folder: string): Promise<Found[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        const { size, mtimeMs } = await stat(path);
        return { path, bytes: size, modified: mtimeMs };
      }),
  );
}

/** Turns over every bit of one byte; the file keeps its size and its times look untouched to a listing by size. */
export async function flipByte(path: string, offset: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    const { bytesRead } = await file.read(byte, 0, 1, offset);
    if (bytesRead !== 1) throw new RangeError(`${path} has no byte at ${offset}`);
    byte.writeUInt8(byte.readUInt8(0) ^ 0xff);
    await file.write(byte, 0, 1, offset);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The part of an object store that a fault is played on, by what its files' paths hold. */
const targets: readonly { readonly what: string; readonly matches: RegExp; readonly pick: (files: readonly Found[]) => Found | undefined }[] = [
  // A file that nobody changes (template1's), or a bundle of small ones: every later backup rests on the full one's copy.
  { what: "a file of PostgreSQL's full backup", matches: /backup\/[^/]+\/\d{8}-\d{6}F\/(pg_data\/base\/1\/|bundle\/)/, pick: (files) => files.toSorted((a, b) => b.bytes - a.bytes)[0] },
  { what: "the newest snapshot of Redis", matches: /(^|\/)redis\/[^/]+\/.*\.pgp$/, pick: (files) => files.toSorted((a, b) => b.modified - a.modified)[0] },
];

/** Flips a byte in the middle of the newest backup of PostgreSQL and of Redis; returns what was hit, by its path. */
export async function flipBackups(folder: string): Promise<string[]> {
  const all = await filesUnder(folder);
  const hit: string[] = [];
  for (const { what, matches, pick } of targets) {
    const found = pick(all.filter(({ path }) => matches.test(relative(folder, path))));
    if (found === undefined) throw new DrError({ kind: "failed", what: `${what} is not among the files of the store`, where: folder, todo: "Look at the layout of the backups: the fault could not be played." });
    await flipByte(found.path, Math.floor(found.bytes / 2));
    hit.push(relative(folder, found.path));
  }
  return hit;
}
