import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { configMapType, fileSelectors, pgbackrestFiles, repositoriesOf } from "./files.ts";

export const pgbackrestEncrypted: ResourceRule = {
  kind: "resource",
  id: "pgbackrest-encrypted",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Who reads the bucket reads the whole database; the provider's own encryption opens for everybody who may read there.",
  fix: 'Set repoN-cipher-type to "aes-256-cbc" and repoN-cipher-pass, and leave repoN-storage-verify-tls on.',
  types: [configMapType],
  breaks: {
    "data.pgbackrest.conf.global.repo*-cipher-type": "none",
    "data.pgbackrest.conf.global.repo*-cipher-pass": "",
    "data.pgbackrest.conf.global.repo*-storage-verify-tls": "n",
    "data.pgbackrest.conf.global.repo*-s3-verify-tls": "n",
  },
  selects: [...fileSelectors, "data.pgbackrest.conf", "data.pgbackrest.conf.global"],
  judge(resource, verdict) {
    for (const file of pgbackrestFiles(resource, verdict)) {
      for (const name of repositoriesOf(file)) {
        verdict.property(file, ["global", `${name}-cipher-type`], (type) => (type === "aes-256-cbc" ? undefined : `${shown(type)}, not "aes-256-cbc"`));
        verdict.property(file, ["global", `${name}-cipher-pass`], (pass) => (typeof pass === "string" && pass !== "" ? undefined : "is unset"));
        // The second is the first one's old name, and still taken.
        for (const option of ["storage-verify-tls", "s3-verify-tls"]) verdict.property(file, ["global", `${name}-${option}`], (verify) => (verify === undefined || verify === "y" ? undefined : `${shown(verify)}: any server is taken for the object store`));
      }
    }
  },
};
