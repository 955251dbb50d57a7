import { access, constants, readdir } from "node:fs/promises";
import { join } from "node:path";
import { DrError } from "../errors.ts";
import { accountHome } from "./home.ts";

/** Debian's package for each program that the project calls; the one place where they are listed. */
const packages: Readonly<Record<string, string>> = {
  postgres: "postgresql",
  initdb: "postgresql",
  pg_ctl: "postgresql",
  pg_controldata: "postgresql",
  pg_waldump: "postgresql",
  pg_basebackup: "postgresql-client",
  pg_amcheck: "postgresql-client",
  psql: "postgresql-client",
  pgbackrest: "pgbackrest",
  "redis-server": "redis-server",
  "redis-sentinel": "redis-sentinel",
  "redis-cli": "redis-tools",
  "redis-check-rdb": "redis-tools",
  patroni: "patroni",
  etcd: "etcd-server",
  rclone: "rclone",
  gpg: "gnupg",
  nsenter: "util-linux",
  unshare: "util-linux",
  setpriv: "util-linux",
  ip: "iproute2",
  openssl: "openssl",
  chromium: "chromium",
  promtool: "prometheus",
  prometheus: "prometheus",
  tar: "tar",
  git: "git",
  haproxy: "haproxy",
};

/** `undefined` where it comes from elsewhere. */
export const packageOf = (program: string): string | undefined => packages[program];

async function runnable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** PostgreSQL's server programs are not on PATH under Debian: the newest version's folder first. */
async function postgresFolders(): Promise<string[]> {
  const root = "/usr/lib/postgresql";
  const versions = await readdir(root).catch(() => []);
  return versions
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(b) - Number(a))
    .map((name) => join(root, name, "bin"));
}

/** The whole path of a program, or `undefined`. `folder`, where given, is looked into first. */
export async function lookUpProgram(name: string, folder?: string): Promise<string | undefined> {
  const home = process.env["HOME"] ?? accountHome();
  const cached = [process.env["DR_TOOLS"], ...(home === undefined ? [] : [join(home, ".cache", "blackroad-dr", "bin"), join(home, "go", "bin")])];
  const folders = [folder, ...(process.env["PATH"] ?? "").split(":"), ...(await postgresFolders()), "/usr/sbin", "/sbin", ...cached];
  for (const candidate of folders) {
    if (candidate === undefined || candidate === "") continue;
    const path = join(candidate, name);
    if (await runnable(path)) return path;
  }
  return undefined;
}

/** The whole path of a program, or an error that says which one is missing and how to get it. */
export async function findProgram(name: string, folder?: string): Promise<string> {
  const path = await lookUpProgram(name, folder);
  if (path !== undefined) return path;
  const from = packageOf(name);
  throw new DrError({
    kind: "unavailable",
    what: `the program ${name} is not on this machine`,
    where: "PATH and the usual folders",
    todo: from === undefined ? "Run `npm run setup`." : `Run \`npm run setup\` as root or with sudo, or \`apt-get install ${from}\`.`,
  });
}
