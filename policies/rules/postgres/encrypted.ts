import type { ResourceRule } from "../../core/rule.ts";
import { configMapType, fileSelectors, pgbackrestFiles, repositoriesOf, shown } from "./files.ts";

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
  },
  selects: [...fileSelectors, "data.pgbackrest.conf", "data.pgbackrest.conf.global"],
  judge(resource, verdict) {
    for (const file of pgbackrestFiles(resource, verdict)) {
      for (const name of repositoriesOf(file)) {
        verdict.property(file, ["global", `${name}-cipher-type`], (type) => (type === "aes-256-cbc" ? undefined : `is ${shown(type)}, not "aes-256-cbc"`));
        verdict.property(file, ["global", `${name}-cipher-pass`], (pass) => (typeof pass === "string" && pass !== "" ? undefined : "is unset"));
        verdict.property(file, ["global", `${name}-storage-verify-tls`], (verify) => (verify === "n" ? 'is "n": any server is taken for the object store' : undefined));
      }
    }
  },
};
