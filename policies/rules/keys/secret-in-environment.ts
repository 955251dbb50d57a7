import type { ResourceRule } from "../../core/rule.ts";
import { containerLists, containersOf, everyContainer, inContainers, membersOf, podTypes } from "../kubernetes/pod-spec.ts";
import { isSecretName, secretIn } from "./literal-secrets.ts";

/** Whatever a container runs: beside its own command what its probes and hooks do. */
const probes: readonly string[] = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop"].map((probe) => `${probe}.exec.command`);
const commands: readonly string[] = ["command", "args", ...probes];

/** Each word, each with the one behind it (`--password hunter2`), and the words of a script among them. */
function wordsOf(list: readonly string[]): readonly string[] {
  const pairs = list.map((word, index) => `${word} ${list[index + 1] ?? ""}`.trim());
  return [...list, ...pairs, ...list.flatMap((word) => word.split(/[\s;&|]+/))];
}

export const secretInEnvironment: ResourceRule = {
  kind: "resource",
  id: "secret-in-environment",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A secret in the environment or the arguments stands in the cluster's API, in Pulumi's state, in crash reports and /proc.",
  fix: "Mount the secret as a file, and give the file's path.",
  types: podTypes,
  breaks: inContainers({ "env[*].value": "-----BEGIN PRIVATE KEY-----", ...Object.fromEntries(commands.map((path) => [path, ["--password=hunter2hunter2"]])) }),
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
      for (const list of commands) {
        verdict.property(container, list, (words) => {
          const text: readonly string[] = Array.isArray(words) ? words.filter((word) => typeof word === "string") : [];
          const kind = wordsOf(text).map((word) => secretIn(word.replace(/^-+/, ""))).find((one) => one !== undefined);
          return kind === undefined ? undefined : `holds ${kind}`;
        });
      }
    }
  },
};
