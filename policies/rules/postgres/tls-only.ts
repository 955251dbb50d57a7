import type { ResourceRule } from "../../core/rule.ts";
import { configMapType, fileSelectors, patroniFiles, shown } from "./files.ts";

/** Lines of pg_hba that let somebody in over a network: encrypted, and not with a password that a listener could read. */
function wrongLine(line: unknown): boolean {
  const [type = "", ...rest] = String(line).trim().split(/\s+/);
  const isNetwork = type.startsWith("host");
  if (!isNetwork || rest.includes("reject")) return false;
  return type !== "hostssl" || rest.some((word) => word === "trust" || word === "password" || word === "md5");
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
    "data.patroni-pg-*.yml.postgresql.pg_hba": ["host all all 0.0.0.0/0 scram-sha-256"],
  },
  selects: fileSelectors,
  judge(resource, verdict) {
    for (const file of patroniFiles(resource, verdict)) {
      verdict.property(file, "postgresql.parameters.ssl", (ssl) => (ssl === "on" || ssl === true ? undefined : `is ${shown(ssl)}, not "on"`));
      // Unset is TLSv1.2.
      verdict.property(file, "postgresql.parameters.ssl_min_protocol_version", (version) => (version === undefined || version === "TLSv1.2" || version === "TLSv1.3" ? undefined : `is ${shown(version)}, which is broken`));
      verdict.property(file, "postgresql.pg_hba", (lines) => {
        if (!Array.isArray(lines) || lines.length === 0) return "is unset: Patroni's own lines take connections without TLS";
        const wrong = lines.filter(wrongLine);
        return wrong.length === 0 ? undefined : `lets in without TLS, or by a password that can be read: ${wrong.map(String).join("; ")}`;
      });
    }
  },
};
