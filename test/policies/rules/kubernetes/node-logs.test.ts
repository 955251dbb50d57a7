import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource } from "../../../../policies/core/judge.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { podHost } from "../../../../policies/rules/kubernetes/pod-host.ts";
import { resource } from "../../../harness/policies.ts";
import { container, pod } from "./pods.ts";

type Props = Readonly<Record<string, unknown>>;
const settings = { plan: blackroad, production: true };
const mount = { name: "logs", mountPath: "/var/log/pods", readOnly: true };
const logs = { name: "logs", hostPath: { path: "/var/log/pods", type: "Directory" } };

interface Shipper {
  readonly type?: string;
  readonly name?: unknown;
  readonly volumes?: readonly Props[];
  readonly mounts?: readonly Props[];
}

/** The log shipper's DaemonSet, with what a test changes. */
const judged = ({ mounts = [mount], name = "log-shipper", type = "DaemonSet", volumes = [logs] }: Shipper) =>
  judgeResource(podHost, resource(`kubernetes:apps/v1:${type}`, { spec: { template: { metadata: { labels: { "app.kubernetes.io/name": name } }, spec: pod({ containers: [container({ volumeMounts: mounts })], volumes }) } } }), settings);
const spec = "spec.template.spec";

describe("the log shipper under pod-host", () => {
  it("may read its node's logs", () => {
    expect(judged({})).toEqual([]);
    expect(judged({ mounts: [mount, { name: "state", mountPath: "/var/lib/log-shipper" }], volumes: [logs, { name: "state", emptyDir: {} }] })).toEqual([]);
  });

  it.each<readonly [string, Shipper, string]>([
    ["may not write them", { mounts: [{ ...mount, readOnly: false }] }, `${spec}.containers[0].volumeMounts[0].readOnly`],
    ["must say that it only reads them", { mounts: [{ name: "logs", mountPath: "/var/log/pods" }] }, `${spec}.containers[0].volumeMounts[0].readOnly`],
    ["may not see more of the node", { volumes: [{ name: "logs", hostPath: { path: "/var/log" } }] }, `${spec}.volumes[0].hostPath`],
    ["may not see it by another spelling", { volumes: [{ name: "logs", hostPath: { path: "/var/log/pods/../.." } }] }, `${spec}.volumes[0].hostPath`],
    ["may not see another folder besides", { volumes: [logs, { name: "root", hostPath: { path: "/" } }] }, `${spec}.volumes[1].hostPath`],
    ["is a DaemonSet and nothing else", { type: "Deployment" }, `${spec}.volumes[0].hostPath`],
    ["is known by its label", { name: "postgres" }, `${spec}.volumes[0].hostPath`],
  ])("%s", (_, shipper, path) => {
    expect(judged(shipper)).toMatchObject([{ kind: "violation", path }]);
  });

  it("is not judged before `up` where it is not known whether it only reads", () => {
    expect(judged({ mounts: [{ ...mount, readOnly: unknown }] })).toMatchObject([{ kind: "unjudged" }]);
    expect(judged({ mounts: [{ ...mount, name: unknown }] })).toMatchObject([{ kind: "unjudged" }]);
  });
});
