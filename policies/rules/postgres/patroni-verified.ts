import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { configMapType, fileSelectors, patroniFiles } from "./files.ts";

export const patroniVerified: ResourceRule = {
  kind: "resource",
  id: "patroni-verified",
  severity: "high",
  enforcement: "mandatory",
  protects: "Who can speak to Patroni or to its store can promote or stop the database, and a standby that trusts any server gives it the password.",
  fix: 'Give restapi its certfile and keyfile, etcd3 the protocol "https" with cacert, and each account sslmode "verify-full".',
  types: [configMapType],
  breaks: {
    "data.patroni-pg-*.yml": "[",
    "data.patroni-pg-*.yml.restapi.certfile": "",
    "data.patroni-pg-*.yml.etcd3.protocol": "http",
    "data.patroni-pg-*.yml.etcd3.cacert": "",
    "data.patroni-pg-*.yml.postgresql.authentication.superuser.sslmode": "require",
    "data.patroni-pg-*.yml.postgresql.authentication.replication.sslmode": "prefer",
  },
  selects: fileSelectors,
  judge(resource, verdict) {
    const isSet = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? undefined : "is unset");
    for (const file of patroniFiles(resource, verdict)) {
      verdict.property(file, "restapi.certfile", isSet);
      verdict.property(file, "etcd3.protocol", (protocol) => (protocol === "https" ? undefined : `${shown(protocol)}, not "https"`));
      verdict.property(file, "etcd3.cacert", isSet);
      for (const account of ["superuser", "replication"]) {
        verdict.property(file, `postgresql.authentication.${account}.sslmode`, (mode) => (mode === "verify-full" ? undefined : `${shown(mode)}, not "verify-full"`));
      }
    }
  },
};
