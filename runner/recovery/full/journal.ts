/** What a recovery of the whole system has done so far: started again, it goes on where it stopped. */
import { chmod, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DrError, messageOf } from "../../errors.ts";
import { writeDurably } from "../../system/files.ts";
import { takeLockFile } from "../../system/lock-file.ts";
import { isRoot } from "../../system/user.ts";
import { fullOrder } from "./sources.ts";

const journalVersion = 1;

const stepSchema = z.strictObject({
  name: z.string(),
  startedAt: z.iso.datetime(),
  /** Absent while it runs, and where it was broken off. */
  finishedAt: z.iso.datetime().optional(),
  seconds: z.number().optional(),
  /** What it came to, for people. */
  result: z.string().optional(),
  error: z.string().optional(),
});
export type JournalStep = z.infer<typeof stepSchema>;

const journalSchema = z.strictObject({
  version: z.literal(journalVersion),
  startedAt: z.iso.datetime(),
  sources: z.strictObject({
    point: z.string().optional(),
    stores: z.array(z.strictObject({ store: z.enum(fullOrder), backup: z.string(), restorePoint: z.string().optional(), reachesTo: z.string().optional(), bytes: z.number() })),
    notes: z.array(z.string()),
  }),
  /** What was asked for, in words that can be compared. */
  asked: z.string(),
  steps: z.array(stepSchema),
});
type Content = z.infer<typeof journalSchema>;

const fileName = "recovery.json";
const lockName = "recovery.lock";

const labelOf = (time: string): string => time.replaceAll(/[:.-]/g, "");

/** One recovery's journal, in the folder that it recovers into. */
export class Journal {
  readonly folder: string;
  #content: Content;

  private constructor(folder: string, content: Content) {
    this.folder = folder;
    this.#content = content;
  }

  /** What an earlier run left in `folder`, where it did not come to its end; `undefined` where there is none. */
  static async read(folder: string): Promise<Journal | undefined> {
    const path = join(folder, fileName);
    const text = await readFile(path, "utf8").catch((cause: unknown) => {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
      throw new DrError({ kind: "failed", what: `the journal of an earlier recovery cannot be read: ${messageOf(cause)}`, where: path, todo: "Make it readable, or name another folder with --into." });
    });
    if (text === undefined) return undefined;
    try {
      return new Journal(folder, journalSchema.parse(JSON.parse(text)));
    } catch (cause) {
      throw new DrError({ kind: "failed", what: `the journal of an earlier recovery is damaged: ${messageOf(cause)}`, where: path, todo: "Name another folder with --into, or start over with --restart.", cause });
    }
  }

  static async begin(folder: string, content: Omit<Content, "version" | "steps">): Promise<Journal> {
    const journal = new Journal(folder, { version: journalVersion, ...content, steps: [] });
    await journal.#write();
    return journal;
  }

  /** Puts an earlier recovery's journal aside, as a document of what it did: another one begins in its folder. */
  static async abandon(folder: string, at: Date): Promise<void> {
    await rename(join(folder, fileName), join(folder, `recovery-abandoned-${labelOf(at.toISOString())}.json`)).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    });
  }

  get sources(): Content["sources"] {
    return this.#content.sources;
  }

  get asked(): string {
    return this.#content.asked;
  }

  get startedAt(): Date {
    return new Date(this.#content.startedAt);
  }

  get steps(): readonly JournalStep[] {
    return this.#content.steps;
  }

  /** Of the newest attempt. */
  stepOf(name: string): JournalStep | undefined {
    return this.#content.steps.findLast((step) => step.name === name);
  }

  /** Whether an attempt at the step began, by whichever run. */
  has(name: string): boolean {
    return this.stepOf(name) !== undefined;
  }

  attempts(name: string): number {
    return this.#content.steps.filter((step) => step.name === name).length;
  }

  async begun(name: string, at: Date): Promise<void> {
    await this.#put([...this.#content.steps, { name, startedAt: at.toISOString() }]);
  }

  async ended(name: string, at: Date, outcome: { readonly result: string } | { readonly error: string }): Promise<void> {
    const last = this.#content.steps.findLastIndex((step) => step.name === name);
    await this.#put(this.#content.steps.map((step, index) => (index === last ? { ...step, ...outcome, finishedAt: at.toISOString(), seconds: (at.getTime() - Date.parse(step.startedAt)) / 1_000 } : step)));
  }

  /** It came to its end: the journal stays as a document, and the folder is no unfinished recovery any more. */
  async close(): Promise<string> {
    const path = join(this.folder, `recovery-${labelOf(this.#content.startedAt)}.json`);
    await rename(join(this.folder, fileName), path);
    return path;
  }

  async #put(steps: JournalStep[]): Promise<void> {
    this.#content = { ...this.#content, steps };
    await this.#write();
  }

  #write(): Promise<void> {
    return writeDurably(join(this.folder, fileName), `${JSON.stringify(this.#content, undefined, 2)}\n`, { mode: 0o600 });
  }
}

/** Keeps a second recovery out of the folder while `work` runs; a lock of a process that is gone is taken over. */
export async function alone<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await makePassable(folder);
  const path = join(folder, lockName);
  const holder = await takeLockFile(path);
  if (holder !== undefined) throw new DrError({ kind: "refused", what: `another recovery works here (process ${holder})`, where: folder, todo: "Wait for its end, or name another folder with --into." });
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** The database's user passes through the folder. One that holds anything is in use, and stays as it is. */
async function makePassable(folder: string): Promise<void> {
  if ((await mkdir(folder, { recursive: true })) !== undefined) return chmod(folder, 0o711);
  const { mode } = await stat(folder);
  if ((await readdir(folder)).length === 0) return chmod(folder, (mode & 0o7777) | 0o011);
  if (isRoot() && (mode & 0o001) === 0) throw new DrError({ kind: "usage", what: "only its owner may pass through this folder, and PostgreSQL runs as another user", where: folder, todo: "Name a folder that does not exist yet, or let others pass (chmod o+x)." });
}
