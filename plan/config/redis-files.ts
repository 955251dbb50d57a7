/** Every file that Redis servers and a Sentinel in pods are given: what a ConfigMap holds, and no secret. */
import type { Plan } from "../types.ts";
import { redisSecret, sentinelSecret } from "../secrets.ts";
import { redisAcl, redisConf, redisRoles, type RedisTls } from "./redis.ts";
import { primaryMark, redisProbeScript, redisRecoverScript, redisStartScript, sentinelStartScript, type Endpoint, type RedisStart } from "./redis-start.ts";
import { hashMark, secretMark, secretScript } from "./secret-template.ts";
import { majority, sentinelConf } from "./sentinel.ts";

/** Where things are in a container. */
export interface RedisPaths {
  /** These files, as the ConfigMap gives them. */
  readonly files: string;
  /** In memory: the same with their secrets, and what Sentinel makes of them. */
  readonly run: string;
  /** On the volume. */
  readonly data: string;
  /** `tls.crt`, `tls.key` and `ca.crt`. */
  readonly tls: string;
  /** A folder a secret, with its `value`. */
  readonly secrets: string;
}

/** A server with the name that its files go by and the address that others know it by. */
export interface NamedServer extends Endpoint {
  readonly name: string;
}

export interface RedisFilesArgs {
  readonly plan: Plan;
  readonly version: string;
  readonly paths: RedisPaths;
  /** Those of this region. */
  readonly servers: readonly NamedServer[];
  /** Where they listen. Default: everywhere; who may come there say the network policy, TLS and the ACL. */
  readonly address?: string;
  /** Default: Redis's own; a lower one is promoted before a higher one. */
  readonly priority?: number;
  readonly masterName: string;
  /** Every Sentinel of the system. None: the servers follow nobody and start as they are. */
  readonly sentinels: readonly Endpoint[];
  /** This region's. */
  readonly sentinel?: NamedServer;
  /** From which backup the data comes, and by which configuration of `dr`. */
  readonly recovery?: { readonly backup: string; readonly configFile: string };
}

const tlsIn = (folder: string, port: number): RedisTls => ({ port, certFile: `${folder}/tls.crt`, keyFile: `${folder}/tls.key`, caFile: `${folder}/ca.crt` });
const listen = ({ address }: RedisFilesArgs): readonly string[] => [address ?? "*"];
const itself = ({ address }: RedisFilesArgs): string => address ?? "127.0.0.1";

export const aclFile = "users.acl";
export const secretScriptFile = "secrets.sh";
export const startScriptFile = "start.sh";
export const sentinelStartFile = "sentinel-start.sh";
export const probeScriptFile = "probe.sh";
export const recoverScriptFile = "recover.sh";
export const configurationOf = (server: string): string => `${server}.conf`;

/** The servers' files, by their names. */
export function redisServerFiles(args: RedisFilesArgs): Readonly<Record<string, string>> {
  const { paths, recovery, servers, sentinels } = args;
  const [first] = servers;
  const tls = tlsIn(paths.tls, first?.port ?? 0);
  const users = Object.fromEntries(redisRoles.map((role) => [role, { sha256: hashMark(redisSecret(role)) }]));
  return {
    ...Object.fromEntries(servers.map((server) => [configurationOf(server.name), serverConfiguration(server, args)])),
    [aclFile]: redisAcl({ users }),
    [secretScriptFile]: secretScript,
    [probeScriptFile]: redisProbeScript({ address: itself(args), tls, passwordFile: `${paths.secrets}/${redisSecret("monitoring")}/value` }),
    ...(sentinels.length === 0 ? {} : { [startScriptFile]: redisStartScript(startOf(args, tls)) }),
    ...(recovery === undefined ? {} : { [recoverScriptFile]: redisRecoverScript({ ...recovery, data: paths.data, socket: `${paths.run}/recover.sock` }) }),
  };
}

/** The Sentinel's files, by their names. */
export function sentinelFiles(args: RedisFilesArgs & { readonly sentinel: NamedServer; readonly primaryPort: number }): Readonly<Record<string, string>> {
  const { masterName, paths, plan, primaryPort, sentinel, version } = args;
  const tls = tlsIn(paths.tls, sentinel.port);
  const password = secretMark(sentinelSecret);
  const masters = [{ name: masterName, host: primaryMark, port: primaryPort }];
  const auth = { user: "sentinel", password: secretMark(redisSecret("sentinel")) };
  const announce = { host: sentinel.host, port: sentinel.port };
  return {
    [configurationOf(sentinel.name)]: sentinelConf({ plan, version, name: sentinel.name, port: 0, bind: listen(args), dir: paths.run, masters, auth, password, announce, tls }),
    [secretScriptFile]: secretScript,
    [sentinelStartFile]: sentinelStartScript(startOf(args, tls)),
    [probeScriptFile]: redisProbeScript({ address: itself(args), tls, passwordFile: `${paths.secrets}/${sentinelSecret}/value` }),
  };
}

function serverConfiguration(server: NamedServer, args: RedisFilesArgs): string {
  const { paths, plan, priority, sentinels, version } = args;
  const alone = sentinels.length === 0;
  return redisConf({
    plan,
    version,
    port: 0,
    bind: listen(args),
    dir: paths.data,
    aclFile: `${paths.run}/${aclFile}`,
    tls: tlsIn(paths.tls, server.port),
    // A server that stands alone is told nothing by which it could reach another.
    ...(alone ? {} : { masterAuth: { user: "replica", password: secretMark(redisSecret("replica")) }, announce: { host: server.host, port: server.port } }),
    ...(alone || priority === undefined ? {} : { priority }),
  });
}

const startOf = ({ masterName, paths, plan, sentinels }: RedisFilesArgs, tls: RedisTls): RedisStart => ({ masterName, sentinels, quorum: majority(plan), tls, sentinelPasswordFile: `${paths.secrets}/${sentinelSecret}/value` });
