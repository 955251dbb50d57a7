import { certificateNames, commonNames, databaseFiles, secretScriptFile } from "../../../plan/config/postgres-files.ts";
import { secretScript } from "../../../plan/config/secret-template.ts";
import { mib, type Size } from "../../../plan/units.ts";
import { ports } from "../../../plan/servers.ts";
import { hostIn } from "../../topology.ts";
import { configMap, filesDigest } from "../servers/files.ts";
import { privateNetworks } from "../servers/regions.ts";
import { clientHost, headlessService, serverServices } from "../servers/services.ts";
import { budget, claims, statefulServers } from "../servers/stateful-set.ts";
import type { StoreResources } from "../store-args.ts";
import { certificate } from "./certificates.ts";
import type { ClusterContext } from "./context.ts";
import { databasePod } from "./pod.ts";
import { databasePolicy } from "./policies.ts";
import { proxyServices } from "./proxy.ts";
import { recoveryFiles } from "./recovery.ts";

const defaultResources: StoreResources = { cpu: "2", memory: "8Gi" };
/** PostgreSQL's documentation: a quarter of the memory is a reasonable start, the rest is the system's cache. */
const sharedOf = 4;
/** The archiver's pushes at once, and the restore's fetches. */
const processMax = 4;

/** PostgreSQL's servers of this region under Patroni, with everything around them. */
export function databaseServers(context: ClusterContext): void {
  const { args, database: set } = context;
  const resources = args.resources ?? defaultResources;
  const templates = templatesOf(context, resources);
  const files = { ...templates, [secretScriptFile]: secretScript, ...recoveryFiles(context) };
  const between = { postgres: ports.postgres.server, rest: ports.postgres.rest };
  configMap(set, files);
  databaseCertificates(context);
  headlessService(set, between);
  serverServices(set, between);
  databasePolicy(context);
  budget(set);
  statefulServers(set, { annotations: filesDigest(files), storage: args.storage, dependsOn: claims(set, args.storage), pod: databasePod(context, templates, resources) });
}

function templatesOf(context: ClusterContext, { memory }: StoreResources): Readonly<Record<string, string>> {
  const { args, arbiters, here, members, repositories, scope, standing, versions } = context;
  return databaseFiles({
    plan: args.plan, scope, versions, members, here, processMax,
    etcdHosts: arbiters.map(({ address, clientPort }) => `${address}:${clientPort}`),
    repositories: standing === "restored" ? undefined : repositories,
    networks: args.networks ?? privateNetworks,
    sharedBuffers: sharedBuffers(memory),
  });
}

const units: Readonly<Record<string, number>> = { M: 1, G: 1024, T: 1024 ** 2 };
/** Of `8Gi`, 2 GiB. */
function sharedBuffers(memory: string): Size {
  const [, amount, unit = ""] = /^(\d+)([MGT])i$/.exec(memory) ?? [];
  const factor = units[unit];
  if (amount === undefined || factor === undefined) throw new RangeError(`${memory} is no size`);
  return mib(Math.floor((Number(amount) * factor) / sharedOf));
}

/**
 * PostgreSQL's, Patroni's and pgBackRest's each for itself. Clients come by the services too, behind which the proxy
 * passes everything on as it is: so the services' names are in the servers' certificates.
 */
function databaseCertificates(context: ClusterContext): void {
  const { args: { issuer }, database: set } = context;
  const hosts = set.names.flatMap((server) => [hostIn(set.place, server), `${server}.${set.place.namespace}.svc.cluster.local`]);
  const services = Object.values(proxyServices(context)).flatMap(({ name }) => [clientHost(name, set.place), `${name}.${set.place.namespace}.svc`, name]);
  const names = [...new Set([...hosts, ...services])];
  certificate(set, issuer, { name: certificateNames.postgres, commonName: set.base, dnsNames: names, usages: ["server auth"] });
  certificate(set, issuer, { name: certificateNames.patroni, commonName: commonNames.patroni, dnsNames: [...new Set(hosts)], usages: ["server auth", "client auth"] });
  certificate(set, issuer, { name: certificateNames.pgbackrest, commonName: `${set.base}-pgbackrest`, dnsNames: names, usages: ["server auth"] });
  certificate(set, issuer, { name: jobsCertificate, commonName: commonNames.jobs, uris: [`urn:${context.args.plan.name}:jobs:${set.place.region}`], usages: ["client auth"] });
}

/** Of the jobs: with it pgBackRest's TLS server lets them in. */
export const jobsCertificate = "jobs";
