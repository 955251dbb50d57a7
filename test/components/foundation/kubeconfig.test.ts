import { describe, expect, it } from "vitest";
import { contextIn as contextInFiles } from "../../../components/foundation/kubeconfig.ts";
import { kubeconfigPaths, readContext } from "../../../components/foundation/kubeconfig-file.ts";

/** As `kubectl config` writes it. */
const written = `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority: ca.crt
    server: https://api.example:6443
  name: east
contexts:
- context:
    cluster: east
    user: ops
  name: ops@east
- context: {cluster: gone, user: ops}
  name: lost
current-context: ops@east
users:
- name: ops
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: aws
      args: [eks, get-token]
      installHint: Install it
        from its site.
`;
const other = JSON.stringify({ contexts: [{ name: "ops@east", context: { cluster: "west", user: "ops" } }], clusters: [{ name: "west", cluster: { server: "https://west.example" } }] });

const contextIn = (texts: readonly string[], name: string) => contextInFiles(texts.map((text) => ({ text, folder: "/etc/kube" })), name);

describe("a kubeconfig", () => {
  it("leads a context to its cluster and its user", () => {
    const { cluster, user } = contextIn([written], "ops@east");
    expect(cluster.server).toBe("https://api.example:6443");
    expect(cluster["certificate-authority"]).toBe("/etc/kube/ca.crt"); // from its own folder
    expect(user.exec).toMatchObject({ command: "aws", args: ["eks", "get-token"] });
  });

  it("takes the first file's context where several have it, and looks for the rest in all, as kubectl does", () => {
    expect(contextIn([other, written], "ops@east").cluster.server).toBe("https://west.example");
    expect(contextIn(["", written], "ops@east").cluster.server).toBe("https://api.example:6443");
  });

  it("names the contexts that are there when the one that is asked for is not", () => {
    expect(() => contextIn([written], "prod")).toThrow('there is no context "prod"; there are: ops@east, lost');
    expect(() => contextIn([""], "prod")).toThrow("there is none");
  });

  it("says what a context names that is not there", () => {
    expect(() => contextIn([written], "lost")).toThrow("names the cluster gone, which is not there");
    expect(() => contextIn([other], "ops@east")).toThrow("names the user ops, which is not there");
  });

  it("says what is wrong with a file that is none", () => {
    expect(() => contextIn(["contexts: [}"], "prod")).toThrow("it is no YAML");
    expect(() => contextIn(["contexts: 3"], "prod")).toThrow("it is no kubeconfig: contexts:");
  });

  it("is looked for where kubectl looks", () => {
    expect(kubeconfigPaths("/given", { KUBECONFIG: "/a:/b" })).toEqual(["/given"]);
    expect(kubeconfigPaths(undefined, { KUBECONFIG: "/a:/b" })).toEqual(["/a", "/b"]);
    expect(kubeconfigPaths(undefined, { HOME: "/home/ops" })).toEqual(["/home/ops/.kube/config"]);
  });

  it("is named when it cannot be read", () => {
    expect(() => readContext("prod", "/nonexistent/config")).toThrow("/nonexistent/config: it cannot be read");
  });
});
