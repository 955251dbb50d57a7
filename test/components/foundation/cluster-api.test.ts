import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clusterApiOf } from "../../../components/foundation/cluster-api.ts";

/** An API server over TLS that knows one token, one path, and refuses another. */
let folder: string;
let server: Server;
let port: number;
const seen: (string | undefined)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dr-cluster-api-"));
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=api", "-addext", "subjectAltName=DNS:localhost", "-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")], { stdio: "ignore" });
  server = createServer({ key: readFileSync(join(folder, "key.pem")), cert: readFileSync(join(folder, "cert.pem")) }, (request, response) => {
    seen.push(request.headers.authorization);
    response.statusCode = request.url === "/known" ? 200 : request.url === "/secret" ? 403 : 404;
    response.end(JSON.stringify({ kind: "Known" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

function kubeconfig(user: object, cluster: object = {}): string {
  const path = join(folder, "kubeconfig.json");
  writeFileSync(path, JSON.stringify({ contexts: [{ name: "dr", context: { cluster: "dr", user: "dr" } }], clusters: [{ name: "dr", cluster: { server: `https://localhost:${port}`, "certificate-authority": "cert.pem", ...cluster } }], users: [{ name: "dr", user }] }));
  return path;
}

describe("a cluster's API", () => {
  it("gives the document at a path, with the context's token, and nothing where there is none", async () => {
    const api = clusterApiOf("dr", kubeconfig({ token: "t0" }));
    expect(await api("/known")).toEqual({ kind: "Known" });
    expect(await api("/unknown")).toBeUndefined();
    expect(seen.slice(-2)).toEqual(["Bearer t0", "Bearer t0"]);
  });

  it("asks the kubeconfig's command for a token, once", async () => {
    const command = join(folder, "token");
    writeFileSync(command, `#!/bin/sh\necho x >> ${join(folder, "asked")}\necho '{"status":{"token":"'$1'"}}'\n`);
    chmodSync(command, 0o700);
    const api = clusterApiOf("dr", kubeconfig({ exec: { apiVersion: "client.authentication.k8s.io/v1", command, args: ["t1"] } }));
    await api("/known");
    await api("/known");
    expect(seen.slice(-2)).toEqual(["Bearer t1", "Bearer t1"]);
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("x\n");
  });

  it("says which command is missing, or gave nothing", async () => {
    const exec = (command: string, args: string[] = []) => clusterApiOf("dr", kubeconfig({ exec: { apiVersion: "v1", command, args } }))("/known");
    await expect(exec("no-such-command-at-all")).rejects.toThrow("no-such-command-at-all gave no credentials: it is not on PATH");
    await expect(exec("sh", ["-c", "echo no credentials >&2; exit 1"])).rejects.toThrow("gave no credentials: no credentials");
    await expect(exec("echo", ["hello"])).rejects.toThrow("gave no ExecCredential");
  });

  it("says that the user may not read, instead of that there is nothing", async () => {
    await expect(clusterApiOf("dr", kubeconfig({ token: "t0" }))("/secret")).rejects.toThrow("answers 403 to GET /secret: the context's user may not read it");
  });

  it("trusts nobody whom the kubeconfig does not name", async () => {
    await expect(clusterApiOf("dr", kubeconfig({ token: "t0" }, { "certificate-authority": undefined }))("/known")).rejects.toThrow("cannot be reached");
  });

  it("says where nobody answers", async () => {
    await expect(clusterApiOf("dr", kubeconfig({ token: "t0" }, { server: "https://127.0.0.1:1" }))("/known")).rejects.toThrow("https://127.0.0.1:1 cannot be reached");
  });
});
