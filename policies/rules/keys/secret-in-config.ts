import type { ResourceRule } from "../../core/rule.ts";
import { unknown } from "../../core/value.ts";
import { isSecretName, secretIn } from "./literal-secrets.ts";

export const secretInConfig: ResourceRule = {
  kind: "resource",
  id: "secret-in-config",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Whoever may read the configuration, which is nearly everybody, has what it opens; and it is in git and in every state.",
  fix: "Put the value into Secrets Manager or a Kubernetes Secret, mount it as a file, and have the configuration name the file.",
  types: ["kubernetes:core/v1:ConfigMap"],
  breaks: { binaryData: { "server.conf": Buffer.from("requirepass correct-horse-battery").toString("base64") }, data: { "server.conf": "requirepass correct-horse-battery" } },
  judge(resource, verdict) {
    verdict.property(resource, "binaryData", (value) => {
      const texts = typeof value === "object" && value !== null ? Object.values(value).filter((one) => typeof one === "string") : [];
      const kind = texts.map((text) => secretIn(Buffer.from(text, "base64").toString("latin1"))).find((one) => one !== undefined);
      return kind === undefined ? undefined : `holds ${kind}`;
    });
    const data = resource.read("data");
    if (data.state === "unknown") verdict.unjudged(resource, "data");
    if (data.state !== "known" || typeof data.value !== "object" || data.value === null) return;
    for (const [key, value] of Object.entries(data.value)) {
      const path = resource.pathOf(["data", key]);
      if (value === unknown) verdict.unjudged(resource, path);
      const what = typeof value === "string" ? problemOf(key, value) : undefined;
      if (what !== undefined) verdict.violation(resource, path, what);
    }
  },
};

function problemOf(key: string, text: string): string | undefined {
  const kind = secretIn(text);
  if (kind !== undefined) return `holds ${kind}`;
  return isSecretName(key) && /^\S{6,}$/.test(text) && !text.startsWith("/") ? "is a secret by its name" : undefined;
}
