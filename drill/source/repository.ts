import { DrError } from "../../runner/errors.ts";

/**
 * Somebody's own pgBackRest repository, as the input of a drill. From his configuration we take what describes one
 * repository, and nothing that could lead back to his servers: no host, no `pg1-…`, no spool, no archive options.
 */
export interface SourceRepository {
  /** Options of pgBackRest, renumbered to `repo1-…`. */
  readonly options: Readonly<Record<string, string>>;
  /** For people: where it is. */
  readonly where: string;
  /** True where reading it needs a network. */
  readonly remote: boolean;
}

type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** pgBackRest's format: `[section]`, `key=value`, `#` comments; a key may come again, the last one holds. */
export function parsePgbackrestConf(text: string): Sections {
  const sections = new Map<string, Map<string, string>>();
  let current = new Map<string, string>();
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const section = /^\[(.+)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      current = sections.get(section) ?? new Map<string, string>();
      sections.set(section, current);
      continue;
    }
    const at = line.indexOf("=");
    if (at < 1) throw new DrError({ kind: "usage", what: `line ${index + 1} is neither a section nor key=value`, where: "--source-config", todo: "Give pgBackRest's own configuration file." });
    current.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return sections;
}

const numbered = /^repo(\d+)-(.+)$/;
/** What a restore has no use for, or what leads to the owner's hosts. */
const leftOut = /^(retention-|host|hardlink|block|bundle|symlink)/;

/** The repositories of a configuration, by their numbers; `[STANZA]` overrides `[global]`. */
export function repositoriesOf(sections: Sections, stanza: string | undefined): ReadonlyMap<number, ReadonlyMap<string, string>> {
  const repositories = new Map<number, Map<string, string>>();
  for (const name of ["global", ...(stanza === undefined ? [] : [stanza])]) {
    for (const [key, value] of sections.get(name) ?? []) {
      const [, number, option] = numbered.exec(key) ?? [];
      if (number === undefined || option === undefined || leftOut.test(option)) continue;
      const options = repositories.get(Number(number)) ?? new Map<string, string>();
      options.set(option, value);
      repositories.set(Number(number), options);
    }
  }
  return repositories;
}

function usage(what: string, todo: string): DrError {
  return new DrError({ kind: "usage", what, where: "--source", todo });
}

function asOptions(repository: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...repository].map(([option, value]) => [`repo1-${option}`, value]));
}

/** The repository of the configuration that is at `path` (and in `bucket`), or the only one. */
function matching(repositories: ReadonlyMap<number, ReadonlyMap<string, string>>, path: string, bucket?: string): ReadonlyMap<string, string> | undefined {
  const trimmed = path.replace(/\/+$/, "");
  const fitting = [...repositories.values()].filter(
    (options) => (options.get("path") ?? "/var/lib/pgbackrest").replace(/\/+$/, "") === trimmed && (bucket === undefined || options.get("s3-bucket") === bucket),
  );
  return fitting[0] ?? (repositories.size === 1 ? [...repositories.values()][0] : undefined);
}

/** Reads `--source` (a folder or `s3://bucket/path`) together with the text of `--source-config`, where there is one. */
export function sourceRepository(source: string, configuration: string | undefined, stanza: string | undefined): SourceRepository {
  const repositories = configuration === undefined ? new Map<number, ReadonlyMap<string, string>>() : repositoriesOf(parsePgbackrestConf(configuration), stanza);
  if (source.startsWith("s3://")) {
    const url = new URL(source);
    const path = url.pathname === "" ? "/" : url.pathname;
    const repository = matching(repositories, path, url.hostname);
    if (repository === undefined) throw usage(`no repository in bucket ${url.hostname} at ${path} is described`, "Name the pgbackrest.conf that has its endpoint, region and keys by --source-config.");
    const options = { ...asOptions(repository), "repo1-type": "s3", "repo1-s3-bucket": url.hostname, "repo1-path": path };
    for (const needed of ["repo1-s3-endpoint", "repo1-s3-region"]) {
      if (!(needed in options)) throw usage(`${needed.replace("repo1", "repoN")} is missing from the configuration`, "Add it to the file that --source-config names.");
    }
    return { options, where: source, remote: true };
  }
  if (!source.startsWith("/")) throw usage(`${source} is neither an absolute folder nor s3://bucket/path`, "Give the folder that holds `archive` and `backup`, or the bucket's URL.");
  const repository = matching(repositories, source);
  return { options: { ...(repository === undefined ? {} : asOptions(repository)), "repo1-type": "posix", "repo1-path": source.replace(/(.)\/+$/, "$1") }, where: source, remote: false };
}
