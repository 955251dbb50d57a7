import { hashMark, secretMark } from "../../../../plan/config/secret-template.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { secretCustomerKey } from "../../../../policies/rules/keys/secret-customer-key.ts";
import { secretInConfig } from "../../../../policies/rules/keys/secret-in-config.ts";
import { secretInEnvironment } from "../../../../policies/rules/keys/secret-in-environment.ts";
import { secretRecoveryWindow } from "../../../../policies/rules/keys/secret-recovery-window.ts";
import { secretReplicated } from "../../../../policies/rules/keys/secret-replicated.ts";
import { tryResource } from "../cases.ts";

const kmsKeyId = "alias/blackroad-backups";
const secret = (region: unknown, ...replicas: readonly unknown[]) => ({ region, replicas: replicas.map((one) => ({ region: one, kmsKeyId })), kmsKeyId });
tryResource(secretReplicated, {
  passes: { "all regions": secret("us-west-2", "us-east-1", "eu-west-1") },
  fails: { "one left out": secret("us-west-2", "us-east-1"), "none": { region: "us-west-2" }, "the primary region as its home": secret("us-east-1", "us-west-2", "eu-west-1"), "no region": secret(undefined, "us-east-1", "eu-west-1") },
  unjudged: { "unknown replicas": { region: "us-west-2", replicas: unknown }, "one unknown region": secret("us-west-2", "us-east-1", unknown), "an unknown home": secret(unknown, "us-east-1", "eu-west-1") },
});
tryResource(secretCustomerKey, {
  passes: { "the plan's key everywhere": secret("us-west-2", "us-east-1") },
  fails: { "AWS's own": { kmsKeyId: "alias/aws/secretsmanager" }, "none": {}, "none in a replica": { kmsKeyId, replicas: [{ region: "us-east-1" }] } },
  unjudged: { "an unknown key": { kmsKeyId: unknown }, "an unknown key of a replica": { kmsKeyId, replicas: [{ kmsKeyId: unknown }] }, "unknown replicas": { kmsKeyId, replicas: unknown } },
});
tryResource(secretRecoveryWindow, { passes: { "30 days": { recoveryWindowInDays: 30 } }, fails: { "none": { recoveryWindowInDays: 0 }, "nothing set": {} }, unjudged: { "an unknown window": { recoveryWindowInDays: unknown } } });

const pod = (container: object) => ({ spec: { containers: [{ name: "job", ...container }] } });
const variable = (name: unknown, value: unknown) => pod({ env: [{ name, value }] });
tryResource(secretInEnvironment, {
  passes: { "none": pod({}), "a path of one": variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/token"), "another value": variable("HOME", "/tmp"), "an option that names a file": pod({ args: ["--password-file=/run/secrets/dr/runner/value"] }), "a secret as a reference, which another rule judges": pod({ env: [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: "x", key: "y" } } }] }) },
  fails: { "a password": variable("PGPASSWORD", "correct-horse"), "a key by its looks": variable("ID", "AKIAABCDEFGHIJKLMNOP"), "an address with a password": variable("DATABASE", "postgres://app:correcthorse@db/app"), "an argument in two words": pod({ args: ["redis-server", "--requirepass", "correct-horse"] }), "a word of a script": pod({ command: ["sh", "-c", "set -e; PGPASSWORD=correct-horse psql"] }), "a probe": pod({ livenessProbe: { exec: { command: ["mysqladmin", "--password=correct-horse", "ping"] } } }), "a hook": pod({ lifecycle: { preStop: { exec: { command: ["redis-cli", "-u", "redis://app:correcthorse@redis"] } } } }), "a container for debugging": { spec: { containers: [{ name: "job" }], ephemeralContainers: [{ name: "debug", env: [{ name: "DB_PWD", value: "correct-horse" }] }] } }, "an argument": pod({ args: ["--password=correct-horse"] }), "a command": pod({ command: ["redis-cli", "-u", "redis://app:correcthorse@redis"] }), "one of an init container": { spec: { containers: [{ name: "job" }], initContainers: [{ name: "first", env: [{ name: "API_KEY", value: "0123456789" }] }] } } },
  unjudged: { "an unknown value": variable("PGPASSWORD", unknown), "an unknown list": pod({ env: unknown }), "unknown arguments": pod({ args: unknown }), "one unknown argument": pod({ args: ["--user", unknown] }) },
}, "kubernetes:core/v1:Pod");
const config = (text: unknown, key = "server.conf") => ({ data: { [key]: text } });
tryResource(secretInConfig, {
  passes: { "none": config("appendonly yes\n"), "no data": {}, "a mark": config(`requirepass ${secretMark("redis-backup")}\nuser x #${hashMark("redis-app")}\n`), "a file": config("passwordFile: /run/secrets/dr/runner/value\n"), "a setting about passwords": config('password_encryption: "scram-sha-256"\n') },
  fails: { "a password": config("port 6379\nrequirepass correct-horse-battery\n"), "one in YAML": config("  password: correct-horse\n"), "a private key": config("-----BEGIN RSA PRIVATE KEY-----\n"), "one by its name": config("correct-horse", "password"), "an address with a password": config("url = https://app:correcthorse@host/"), "a password that is written in another alphabet": { binaryData: { "server.conf": Buffer.from("requirepass correct-horse-battery\n").toString("base64") } }, "a token of Vault": config("hvs.ABCDEFGHIJKLMNOPQRSTUVWX") },
  unjudged: { "unknown data": { data: unknown }, "an unknown file": config(unknown) },
});
