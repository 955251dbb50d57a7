import type { ResourceRule } from "../../core/rule.ts";
import { containerLists, containersOf, everyContainer, inContainers, membersOf, podTypes } from "../kubernetes/pod-spec.ts";
import { isSecretName, secretIn } from "./literal-secrets.ts";

export const secretInEnvironment: ResourceRule = {
  kind: "resource",
  id: "secret-in-environment",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A secret in the environment or the arguments stands in the cluster's API, in Pulumi's state, in crash reports and /proc.",
  fix: "Mount the secret as a file, and give the file's path.",
  types: podTypes,
  breaks: inContainers({ "env[*].value": "-----BEGIN PRIVATE KEY-----", args: ["--password=hunter2hunter2"], command: ["--password=hunter2hunter2"] }),
  selects: [...containerLists, ...everyContainer("env"), ...everyContainer("env[*].name")],
  judge(resource, verdict) {
    for (const container of containersOf(resource, verdict)) {
      for (const variable of membersOf(container, "env", verdict) ?? []) {
        const name = variable.read("name");
        const secret = name.state === "known" && typeof name.value === "string" && isSecretName(name.value) ? name.value : undefined;
        verdict.property(variable, "value", (value) => {
          if (typeof value !== "string" || value === "") return undefined;
          const kind = secretIn(value);
          if (kind !== undefined) return `is ${kind}`;
          return secret !== undefined && !value.startsWith("/") ? `of ${secret} is written out` : undefined;
        });
      }
      for (const list of ["command", "args"]) {
        verdict.property(container, list, (words) => {
          const text = Array.isArray(words) ? words.filter((word) => typeof word === "string") : [];
          const kind = text.map((word: string) => secretIn(word.replace(/^-+/, ""))).find((one) => one !== undefined);
          return kind === undefined ? undefined : `holds ${kind}`;
        });
      }
    }
  },
};
