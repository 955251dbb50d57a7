import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

/** Kubernetes adds 11 characters for each Job, whose name is a label's value of at most 63 (facts F13). */
const longest = 52;

export const cronName: ResourceRule = {
  kind: "resource",
  id: "cron-name",
  severity: "medium",
  enforcement: "mandatory",
  protects: "The API server refuses a longer name, and one that Pulumi makes up is another after each replacement: alerts and runbooks then name a job that is not there.",
  fix: `Set metadata.name to at most ${longest} characters.`,
  types: ["kubernetes:batch/v1:CronJob"],
  breaks: { "metadata.name": "n".repeat(longest + 1) },
  judge(resource, verdict) {
    verdict.property(resource, "metadata.name", (name) => {
      if (typeof name !== "string" || name === "") return shown(name);
      return name.length > longest ? `is ${JSON.stringify(name)}, of ${name.length} characters` : undefined;
    });
  },
};
