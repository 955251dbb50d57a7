import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { containerLists, containersOf, everyContainer, inContainers, membersOf, podTypes } from "./pod-spec.ts";

const fromSecret = "valueFrom.secretKeyRef";

export const secretFiles: ResourceRule = {
  kind: "resource",
  id: "secret-files",
  severity: "high",
  enforcement: "mandatory",
  protects: "What stands in the environment is handed to every child process, shows in crash reports and /proc, and stays as it was when the secret changes.",
  fix: "Mount the secret as a file, readable by the pod's group alone, and give the file's path.",
  types: podTypes,
  breaks: inContainers({ [`env[*].${fromSecret}`]: { name: "dr-secret-runner", key: "value" }, "envFrom": [{ secretRef: { name: "dr-secret-runner" } }] }),
  selects: [...containerLists, ...everyContainer("env")],
  judge(resource, verdict) {
    for (const container of containersOf(resource, verdict)) {
      for (const variable of membersOf(container, "env", verdict) ?? []) verdict.property(variable, fromSecret, (value) => (value === undefined ? undefined : `${shown(value)}: a secret in the environment`));
      for (const source of membersOf(container, "envFrom", verdict) ?? []) verdict.property(source, "secretRef", (value) => (value === undefined ? undefined : `${shown(value)}: a whole secret in the environment`));
    }
  },
};
