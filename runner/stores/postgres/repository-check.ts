/** pgBackRest's `verify` made to speak: which files and segments of a repository are damaged, by name. */
import { buffer } from "node:stream/consumers";
import type { RunContext } from "../../context.ts";
import { condense } from "./faults.ts";
import type { RepositoryBackup } from "./info.ts";
import type { OpenRepository } from "./repositories.ts";

/** One damaged or missing thing of a repository. */
export interface Damage {
  /** Path inside the repository, as pgBackRest names it. */
  readonly file: string;
  readonly what: string;
  /** The backup it belongs to, or the segment's name; neither: it belongs to all. */
  readonly label?: string;
  readonly segment?: string;
}

/** Seconds; every file of the repository is read. */
const verifyDeadline = 6 * 3_600;

/** Within one run the same repository is read once, however many of its backups are verified. */
const known = new WeakMap<RunContext, Map<string, Promise<readonly Damage[]>>>();

/**
 * Everything that is damaged in a repository. `verify` exits 0 on corruption, and 2.45 says what is wrong only in its
 * log at level detail; it uses an info file's copy silently, so those are compared here.
 */
export function readDamage(context: RunContext, open: OpenRepository): Promise<readonly Damage[]> {
  const perRepository = known.get(context) ?? new Map<string, Promise<readonly Damage[]>>();
  known.set(context, perRepository);
  const reading = perRepository.get(open.name) ?? checkRepository(open);
  perRepository.set(open.name, reading);
  reading.catch(() => perRepository.delete(open.name));
  return reading;
}

/** Forgets what was read: somebody has changed the repository meanwhile. */
export const forgetDamage = (context: RunContext): boolean => known.delete(context);

async function checkRepository(open: OpenRepository): Promise<readonly Damage[]> {
  const lines: string[] = [];
  const result = await open.command(["--output=text", "--log-level-console=detail", "verify"], { deadline: verifyDeadline, onLine: (line) => void lines.push(line), accept: [1, 2] });
  const damage = parseVerify(lines.join("\n"));
  const listed = /status: error/.test(result.stdout) && damage.length === 0;
  return [...damage, ...(listed ? [{ file: "repository", what: `verify reports an error: ${condense(result.stdout)}` }] : []), ...(await compareInfoFiles(open))];
}

/** From the output of `verify --log-level-console=detail`. */
export function parseVerify(output: string): Damage[] {
  const found = new Map<string, Damage>();
  const add = (file: string, what: string) => found.set(file, { file, what, ...belongsTo(file) });
  for (const match of output.matchAll(/(?:invalid (checksum|size|result)|(missing) file:?) '?([^\s':]+)'?(?::\s*(.+))?/g)) add(match[3] ?? "", match[2] === undefined ? `invalid ${match[1] ?? ""}${match[4] === undefined ? "" : ` (${condense(match[4])})`}` : "missing");
  for (const match of output.matchAll(/(\S+\/backup\.manifest)(?:\.copy)? is missing or unusable/g)) add(match[1] ?? "", "missing or damaged");
  for (const match of output.matchAll(/duplicate WAL '([0-9A-F]{24})' for '\S+' exists/g)) add(match[1] ?? "", "archived twice");
  return [...found.values()];
}

function belongsTo(file: string): Pick<Damage, "label" | "segment"> {
  const label = /^(\d{8}-\d{6}F(?:_\d{8}-\d{6}[DI])?)\//.exec(file)?.[1];
  if (label !== undefined) return { label };
  const segment = /(?:^|\/)([0-9A-F]{24})(?:-|$)/.exec(file)?.[1];
  return segment === undefined ? {} : { segment };
}

/** Each file that pgBackRest keeps twice, decrypted and compared: it uses the copy without a word. */
async function compareInfoFiles(open: OpenRepository): Promise<Damage[]> {
  const { stdout } = await open.command(["repo-ls", `backup/${open.stanza}`], { deadline: 60 });
  const labels = stdout.split("\n").filter((name) => /^\d{8}-\d{6}F(_\d{8}-\d{6}[DI])?$/.test(name));
  const files = [`archive/${open.stanza}/archive.info`, `backup/${open.stanza}/backup.info`, ...labels.map((label) => `backup/${open.stanza}/${label}/backup.manifest`)];
  const damage: Damage[] = [];
  for (const file of files) {
    const [main, copy] = [await contentOf(open, file), await contentOf(open, `${file}.copy`)];
    if (main !== undefined && copy !== undefined && main.equals(copy) && isText(main)) continue;
    for (const [path, content] of [[file, main], [`${file}.copy`, copy]] as const) {
      const wrong = content === undefined ? "missing or unreadable" : isText(content) ? undefined : "damaged";
      const name = path.replace(new RegExp(`^(?:archive|backup)/${open.stanza}/`), "");
      if (wrong !== undefined) damage.push({ file: name, what: wrong, ...belongsTo(name) });
    }
    if (main !== undefined && copy !== undefined && isText(main) && isText(copy)) damage.push({ file, what: "differs from its copy" });
  }
  return damage;
}

async function contentOf(open: OpenRepository, path: string): Promise<Buffer | undefined> {
  const { stdout, done } = open.file(path);
  try {
    const content = await buffer(stdout);
    await done;
    return content;
  } catch {
    return undefined; // that it cannot be read is the answer; why was said by the checks before
  }
}

/** A flipped byte under aes-256-cbc garbles a block of 16: in a file of text that shows. */
const isText = (content: Buffer): boolean => Buffer.from(content.toString("utf8"), "utf8").equals(content) && !/[\x00-\x08\x0b-\x1f\x7f]/.test(content.toString("utf8"));

/** What of the damage this backup suffers from: its own files, those of the backups it needs, its WAL and what follows. */
export function damageOf(damage: readonly Damage[], backup: RepositoryBackup): { readonly here: string[]; readonly elsewhere: string[] } {
  const labels = new Set([backup.label, ...backup.references]);
  const suffers = ({ label, segment }: Damage): boolean => (label === undefined ? segment === undefined || segment >= backup.startSegment : labels.has(label));
  const say = ({ file, what }: Damage): string => `${file}: ${what}`;
  return { here: damage.filter(suffers).map(say), elsewhere: damage.filter((one) => !suffers(one)).map(say) };
}
