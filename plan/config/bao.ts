/** `bao.hcl`, the configuration of an OpenBao server; HashiCorp Vault's of the same make. No secret stands in it. */
import { keyAlias, vaultSealKey } from "../names.ts";
import type { Plan } from "../types.ts";
import { vaultSeal } from "../unseal.ts";
import { atLeast, parseVersion, type ToolVersion } from "./version.ts";

/** Whose server it is. */
export type VaultFlavour =
  | {
      readonly kind: "openbao";
      /** The KMS seal where it is a plugin: since 2.6 it can be, since 2.7 it always is. The image must hold it. */
      readonly plugin?: SealPlugin;
    }
  | { readonly kind: "vault" };

export interface SealPlugin {
  /** The folder that it is in. */
  readonly directory: string;
  /** Its file's name in there, e.g. `openbao-plugin-kms-aws`. */
  readonly command: string;
  /** SHA-256 of the file, in hexadecimal: another file is not started. */
  readonly sha256: string;
}

export interface VaultServer {
  /** Unique in its cluster, and the same for as long as its volume lives: raft knows it by this. */
  readonly name: string;
  readonly host: string;
}

export interface BaoArgs {
  readonly plan: Plan;
  readonly flavour: VaultFlavour;
  /** As the server says it, e.g. `2.4.1`. */
  readonly version: string;
  /** Of the seal key's replica: the region where the server runs, so that it unseals without any other (facts F10). */
  readonly region: string;
  readonly server: VaultServer;
  /** Every server of the cluster, this one too. */
  readonly servers: readonly VaultServer[];
  readonly ports: { readonly api: number; readonly cluster: number };
  /** Holds the raft log and its database. */
  readonly dataDirectory: string;
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
}

/** Since when OpenBao can have its KMS seals as plugins, and since when it must. */
const pluginsSince = [2, 6] as const;
const pluginsOnlySince = [2, 7] as const;
/** Since when it looks for a renewed certificate itself (its changelog, #3530). */
const reloadsSince = [2, 7] as const;
/** Since when OpenBao takes audit devices from its configuration, and from nowhere else. */
const auditSince = [2, 4] as const;
const digest = /^[0-9a-f]{64}$/;

/** What is wrong with the version and the flavour together. */
export function baoProblems(flavour: VaultFlavour, version: string): readonly string[] {
  const parsed = parseVersion(version);
  if (parsed === undefined) return [`version: ${JSON.stringify(version)} is no version, as 2.4.1 is`];
  if (flavour.kind === "vault") return [];
  const { plugin } = flavour;
  return [
    ...(atLeast(parsed, ...auditSince) ? [] : [`version: OpenBao ${version} takes no audit device from its configuration; use 2.4 or later`]),
    ...(plugin === undefined && atLeast(parsed, ...pluginsOnlySince) ? [`flavour.plugin: OpenBao ${version} has its KMS seal as a plugin; name it, or nothing can be unsealed`] : []),
    ...(plugin !== undefined && !atLeast(parsed, ...pluginsSince) ? [`flavour.plugin: OpenBao ${version} has the KMS seal in itself; leave it out`] : []),
    ...(plugin !== undefined && !digest.test(plugin.sha256) ? [`flavour.plugin.sha256: ${JSON.stringify(plugin.sha256)} is not 64 hexadecimal digits`] : []),
  ];
}

/** @throws RangeError on what `baoProblems` finds */
export function baoHcl(args: BaoArgs): string {
  const problems = baoProblems(args.flavour, args.version);
  const version = parseVersion(args.version);
  if (version === undefined || problems.length > 0) throw new RangeError(problems.join("; "));
  const { flavour, plan, ports, server } = args;
  return hcl([
    ["cluster_name", plan.name],
    ["api_addr", `https://${server.host}:${ports.api}`],
    ["cluster_addr", `https://${server.host}:${ports.cluster}`],
    ["ui", false],
    ["log_format", "json"],
    // OpenBao has no mlock, and swap is off on the nodes. Vault wants it said where the storage is raft, as its
    // database is a mapped file that would be locked whole.
    ...(flavour.kind === "vault" ? [["disable_mlock", true]] satisfies Line[] : []),
    ...sealPlugin(flavour),
    listener(args, version),
    storage(args),
    seal(args),
    { block: ["telemetry"], lines: [["prometheus_retention_time", "60s"], ["disable_hostname", true]] },
    ...audit(flavour),
  ]);
}

function listener({ flavour, ports, tls }: BaoArgs, version: ToolVersion): Block {
  const reloads = flavour.kind === "openbao" && atLeast(version, ...reloadsSince);
  return {
    block: ["listener", "tcp"],
    lines: [
      ["address", `[::]:${ports.api}`],
      ["cluster_address", `[::]:${ports.cluster}`],
      ["tls_cert_file", tls.certFile],
      ["tls_key_file", tls.keyFile],
      ["tls_min_version", "tls12"],
      ...(reloads ? [["tls_auto_reload", true]] satisfies Line[] : []), // before: SIGHUP, or a restart
      // Prometheus has no token; the figures say nothing of what is stored, and the network policy says who comes here.
      { block: ["telemetry"], lines: [["unauthenticated_metrics_access", true]] },
    ],
  };
}

function storage({ dataDirectory, ports, server, servers, tls }: BaoArgs): Block {
  return {
    block: ["storage", "raft"],
    lines: [
      ["path", dataDirectory],
      ["node_id", server.name],
      ["performance_multiplier", 1], // the vendor's advice for production: a lost leader is noticed five times sooner
      ...servers.filter(({ name }) => name !== server.name).map(({ host }): Block => ({
        block: ["retry_join"],
        lines: [["leader_api_addr", `https://${host}:${ports.api}`], ["leader_tls_servername", host], ["leader_ca_cert_file", tls.caFile]],
      })),
    ],
  };
}

/** Credentials come from the pod's web identity. */
const seal = ({ plan, region }: BaoArgs): Block => ({ block: ["seal", vaultSeal.type], lines: [["region", region], ["kms_key_id", keyAlias(plan, vaultSealKey)]] });

function sealPlugin(flavour: VaultFlavour): readonly Line[] {
  if (flavour.kind === "vault" || flavour.plugin === undefined) return [];
  const { command, directory, sha256 } = flavour.plugin;
  return [["plugin_directory", directory], { block: ["plugin", "kms", "awskms"], lines: [["command", command], ["sha256sum", sha256]] }];
}

/** Vault takes none from its configuration: `vault audit enable file file_path=stdout` after it is initialised. */
function audit(flavour: VaultFlavour): readonly Line[] {
  if (flavour.kind === "vault") return [];
  const options: Block = { block: ["options"], lines: [["file_path", "stdout"]] };
  return [{ block: ["audit", "file", "stdout"], lines: [["description", "Every request and its answer, values hashed"], options] }];
}

type Line = readonly [name: string, value: string | number | boolean] | Block;
interface Block {
  /** Its type and its labels. */
  readonly block: readonly [string, ...string[]];
  readonly lines: readonly Line[];
}
const isBlock = (line: Line): line is Block => "block" in line;

/** JSON's strings are HCL's, but that `${` and `%{` begin an expression there. */
function hcl(lines: readonly Line[], indent = ""): string {
  return lines
    .map((line) => {
      if (!isBlock(line)) return `${indent}${line[0]} = ${text(line[1])}\n`;
      const [type, ...labels] = line.block;
      return `${indent}${[type, ...labels.map(text)].join(" ")} {\n${hcl(line.lines, `${indent}  `)}${indent}}\n`;
    })
    .join("");
}

function text(value: string | number | boolean): string {
  if (typeof value === "string" && /[$%]\{/.test(value)) throw new RangeError(`${JSON.stringify(value)} would be an expression in HCL`);
  return JSON.stringify(value);
}
