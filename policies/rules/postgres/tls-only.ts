import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { configMapType, fileSelectors, patroniFiles } from "./files.ts";

/** Ways in over a network that nobody on the way can read, beside being refused. */
const safe: readonly string[] = ["scram-sha-256", "cert", "reject"];

/** Lines of pg_hba that let somebody in over a network unencrypted, by a password that could be read, or by what stands elsewhere. */
function wrongLine(line: unknown): boolean {
  const [type = "", , , address = "", ...rest] = String(line).trim().split(/\s+/);
  if (type === "" || type.startsWith("#") || type === "local") return false;
  // Addresses without the length of their prefix are followed by a mask.
  const [method = ""] = /^[\d.]+$|^[\da-f:]*:[\da-f:]*$/i.test(address) ? rest.slice(1) : rest;
  if (/^host\w*$/.test(type) && method === "reject") return false;
  return type !== "hostssl" || !safe.includes(method);
}

export const postgresTlsOnly: ResourceRule = {
  kind: "resource",
  id: "postgres-tls-only",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Replication and clients cross regions: without TLS everything that the database holds can be read and changed on its way.",
  fix: 'Set ssl to "on", ssl_min_protocol_version to TLSv1.2 or TLSv1.3, and let pg_hba take connections over a network by hostssl and scram-sha-256 or a certificate alone.',
  types: [configMapType],
  breaks: {
    "data.patroni-pg-*.yml": "[",
    "data.patroni-pg-*.yml.postgresql.parameters.ssl": "off",
    "data.patroni-pg-*.yml.postgresql.parameters.ssl_min_protocol_version": "TLSv1",
    "data.patroni-pg-*.yml.postgresql.parameters.hba_file": "/etc/postgresql/pg_hba.conf",
    "data.patroni-pg-*.yml.postgresql.pg_hba": ["host all all 0.0.0.0/0 scram-sha-256"],
  },
  selects: fileSelectors,
  judge(resource, verdict) {
    for (const file of patroniFiles(resource, verdict)) {
      verdict.property(file, "postgresql.parameters.ssl", (ssl) => (ssl === "on" || ssl === true ? undefined : `${shown(ssl)}, not "on"`));
      // Unset is TLSv1.2.
      verdict.property(file, "postgresql.parameters.ssl_min_protocol_version", (version) => (version === undefined || version === "TLSv1.2" || version === "TLSv1.3" ? undefined : `${shown(version)}, which is broken`));
      verdict.property(file, "postgresql.parameters.hba_file", (path) => (path === undefined ? undefined : `${shown(path)}: Patroni then writes no pg_hba, and what stands there no rule reads`));
      verdict.property(file, "postgresql.pg_hba", (lines) => {
        if (!Array.isArray(lines) || lines.length === 0) return "is unset: Patroni's own lines take connections without TLS";
        const wrong = lines.filter(wrongLine);
        return wrong.length === 0 ? undefined : `lets in without TLS, or by a password that can be read: ${wrong.map(String).join("; ")}`;
      });
    }
  },
};
