/** Which content of a key was in force at a time, judged by what a store lists. Pure. */

/** One entry of a listing of versions: a content, or the mark that a deletion left. */
export interface StoredVersion {
  /** As the bucket knows it, relative to the backend's prefix. */
  readonly key: string;
  /** Absent where the store keeps none, or has but this one. */
  readonly version: string | undefined;
  readonly writtenAt: Date;
  readonly bytes: number;
  readonly etag: string;
  /** A deletion's mark: nothing is behind it. */
  readonly isDeletion: boolean;
  /** What a read without a version gets today. */
  readonly isNewest: boolean;
}

/**
 * What becomes of a key. `deleted`: it was gone at the time. `later`: whatever is left of it was written since. `lost`:
 * only a deletion after the time is left, so what it deleted is gone for good.
 */
export type Fate =
  | { readonly kind: "saved"; readonly key: string; readonly content: StoredVersion }
  | { readonly kind: "deleted" | "later" | "lost"; readonly key: string };

/** Judges one key, however many versions of it come: only the best so far is held. */
export class KeyJudge {
  readonly key: string;
  readonly #at: number;
  #best: StoredVersion | undefined;
  #oldest: StoredVersion | undefined;

  constructor(key: string, at: Date) {
    this.key = key;
    this.#at = at.getTime();
  }

  look(entry: StoredVersion): void {
    if (this.#oldest === undefined || entry.writtenAt <= this.#oldest.writtenAt) this.#oldest = entry;
    if (entry.writtenAt.getTime() <= this.#at && (this.#best === undefined || isNewer(entry, this.#best))) this.#best = entry;
  }

  get fate(): Fate {
    const { key } = this;
    if (this.#best !== undefined) return this.#best.isDeletion ? { kind: "deleted", key } : { kind: "saved", key, content: this.#best };
    return { kind: this.#oldest?.isDeletion === true ? "lost" : "later", key };
  }
}

/**
 * S3's listing has whole seconds, and the two lists of contents and deletions hide which came first within one. What is
 * newest today is known; otherwise the content wins, as a file too many does less harm than one too few. Of two
 * contents the one that is listed first is the newer.
 */
function isNewer(entry: StoredVersion, than: StoredVersion): boolean {
  if (entry.writtenAt.getTime() !== than.writtenAt.getTime()) return entry.writtenAt > than.writtenAt;
  if (entry.isNewest || than.isNewest) return entry.isNewest;
  return than.isDeletion && !entry.isDeletion;
}

const base32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ulid = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const timeCharacters = 10;

/**
 * When a version was written. S3 says it. versitygw (1.8) tells of an older version when it was *replaced*, which after
 * an attack is the attack; its ids are ULIDs, which begin with the time of their making. S3's ids are no ULIDs.
 */
export function writtenAt(version: string | undefined, modifiedAt: Date): Date {
  if (version === undefined || !ulid.test(version)) return modifiedAt;
  const made = Array.from(version.slice(0, timeCharacters)).reduce((time, letter) => time * base32.length + base32.indexOf(letter), 0);
  return new Date(Math.min(made, modifiedAt.getTime()));
}
