import type { ResourceRule } from "../../core/rule.ts";
import { containerLists, containersOf, everyContainer, inContainers, membersOf, podTypes } from "../kubernetes/pod-spec.ts";

export const pgbackrestOneSource: ResourceRule = {
  kind: "resource",
  id: "pgbackrest-one-source",
  severity: "high",
  enforcement: "mandatory",
  protects: "pgBackRest takes a variable of the environment before its file: encryption, retention or the dropping of WAL are then other than what stands there and was judged.",
  fix: "Write the option into pgbackrest.conf, and take the variable away.",
  types: podTypes,
  breaks: inContainers({ "env[*].name": "PGBACKREST_REPO1_CIPHER_TYPE" }),
  selects: [...containerLists, ...everyContainer("env")],
  judge(resource, verdict) {
    for (const container of containersOf(resource, verdict)) {
      for (const variable of membersOf(container, "env", verdict) ?? []) {
        verdict.property(variable, "name", (name) => (typeof name === "string" && name.startsWith("PGBACKREST_") ? `is ${name}, an option of pgBackRest` : undefined));
      }
    }
  },
};
