import { chown } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issue, makeAuthority, type Certificate } from "../../../../drill/environments/certificates.ts";
import { freePorts } from "../../../../runner/system/ports.ts";
import { pgbackrestConf, jobsCommonName, type PgbackrestConf } from "../../../../plan/config/pgbackrest.ts";
import { stanza } from "../../../../plan/names.ts";
import type { PostgresConfig } from "../../../../runner/config.ts";
import { backUpPostgres } from "../../../../runner/stores/postgres/back-up.ts";
import { initialisePostgres } from "../../../../runner/stores/postgres/initialise.ts";
import { pgbackrestProgram, processMax, repositoriesOf } from "../../../../runner/stores/postgres/repositories.ts";
import { makeFolder, writeDurably } from "../../../../runner/system/files.ts";
import { startServer, type Server } from "../../../../runner/system/process.ts";
import { databaseUser } from "../../../../runner/system/user.ts";
import { waitFor } from "../../../../runner/system/wait.ts";
import { s3Installed } from "../../../harness/s3.ts";
import { startProtectedPostgres, testPlan, type ProtectedPostgres } from "../../../harness/protected-postgres.ts";

/** pgBackRest takes a key that is its user's or root's; here it runs as PostgreSQL's user. */
async function ownedBy(certificate: Certificate): Promise<Certificate> {
  const user = databaseUser();
  if (user !== undefined) await chown(certificate.key, user.uid, user.gid);
  return certificate;
}

/** A certificate of an authority of its own. */
async function certificateOf(folder: string, name: string, hosts: readonly string[]): Promise<Certificate> {
  await makeFolder(folder, { mode: 0o755, owner: databaseUser() });
  return ownedBy(await issue(await makeAuthority(folder), { name, hosts }));
}

/** What stands on the database's host: the archiver's repositories, PostgreSQL's place and the server. */
async function hostConf({ folder: root, context }: ProtectedPostgres, folder: string, { certificate: certFile, key: keyFile, caFile }: Certificate, port: number): Promise<PgbackrestConf> {
  const own = (name: string) => makeFolder(join(folder, name), { owner: databaseUser() });
  return {
    plan: testPlan, version: (await pgbackrestProgram()).version, stanza,
    repositories: await Promise.all(repositoriesOf(context).map((repository) => repository.settings())),
    pg: { path: join(root, "pg", "data"), port: 5432, socketPath: join(root, "pg", "socket"), user: "postgres" },
    server: { address: "127.0.0.1", port, caFile, certFile, keyFile, clients: [jobsCommonName] },
    spool: await own("spool"), lockPath: await own("lock"), logPath: await own("log"), processMax: processMax(),
  };
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.end();
      resolve(true);
    }).on("error", () => resolve(false));
  });

describe.skipIf(!s3Installed)("PostgreSQL on another host, reached by pgBackRest's TLS server (needs versitygw)", () => {
  let system: ProtectedPostgres;
  let server: Server | undefined;
  let job: (certificate: Certificate, caFile?: string) => NonNullable<PostgresConfig["pgbackrestServer"]>;
  let trusted: Certificate;
  beforeAll(async () => {
    system = await startProtectedPostgres("tls-server");
    const folder = await makeFolder(join(system.folder, "tls"), { mode: 0o755, owner: databaseUser() });
    const authority = await makeAuthority(folder);
    const host = await ownedBy(await issue(authority, { name: "host", hosts: ["localhost"] }));
    trusted = await ownedBy(await issue(authority, { name: "job", hosts: [jobsCommonName] }));
    const [port = 0] = await freePorts(1);
    const configFile = join(folder, "pgbackrest.conf");
    await writeDurably(configFile, pgbackrestConf(await hostConf(system, folder, host, port)), { mode: 0o600, owner: databaseUser() });
    const { program } = await pgbackrestProgram();
    server = await startServer("pgbackrest server", program, [`--config=${configFile}`, "server"], { user: databaseUser(), cwd: folder, logFile: join(folder, "server.log") });
    await waitFor("pgBackRest's TLS server", () => answers(port), { within: 60, every: 0.05 });
    const dataDirectory = join(system.folder, "pg", "data");
    job = ({ certificate, key }, caFile = host.caFile) => ({ host: "localhost", port, caFile, certFile: certificate, keyFile: key, configFile, dataDirectory });
  });
  afterAll(async () => {
    await server?.kill();
    await system.close();
  });

  /** A run on a host without the database: it knows neither its data's folder nor, for pgBackRest, its socket. */
  const onJobHost = (name: string, pgbackrestServer: NonNullable<PostgresConfig["pgbackrestServer"]>) =>
    system.other(name, { postgres: { stanza, host: join(system.folder, "pg", "socket"), port: 5432, user: "postgres", database: "postgres", pgbackrestServer } });

  it("is made ready and backed up into each store from there", async () => {
    const context = await onJobHost("job", job(trusted));
    expect(await initialisePostgres(context)).toEqual({ repositories: [{ repository: "r2", ok: true }, { repository: "s3", ok: true }] });
    for (const kind of ["full", "incremental"] as const) {
      const result = await backUpPostgres(context, kind);
      expect(result).toMatchObject({ outcome: "ok", record: { copies: [{ backend: "r2", status: "ok" }, { backend: "s3", status: "ok" }] } });
    }
    context.close();
  });

  it("does not let in a certificate of the same authority with another name", async () => {
    const other = await ownedBy(await issue({ folder: join(system.folder, "tls"), certificate: trusted.caFile, key: join(system.folder, "tls", "ca.key") }, { name: "other", hosts: ["dr-other"] }));
    const context = await onJobHost("other", job(other));
    await expect(backUpPostgres(context, "full")).rejects.toThrow(/the database's host does not let this job in/);
    context.close();
  });

  it("does not let in a certificate of another authority, though it has the right name", async () => {
    const foreign = await certificateOf(join(system.folder, "foreign"), "job", [jobsCommonName]);
    const context = await onJobHost("foreign", job(foreign));
    await expect(backUpPostgres(context, "full")).rejects.toThrow(/the database's host does not let this job in/);
    context.close();
  });

  it("is not believed where its certificate is of another authority than the job trusts", async () => {
    const { caFile } = await certificateOf(join(system.folder, "imposter"), "job", [jobsCommonName]);
    const context = await onJobHost("imposter", job(trusted, caFile));
    await expect(backUpPostgres(context, "full")).rejects.toThrow(/the certificate of the database's host is not signed by the trusted authority/);
    context.close();
  });
});
