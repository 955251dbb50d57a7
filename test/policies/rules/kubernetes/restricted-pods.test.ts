import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource } from "../../../../policies/core/judge.ts";
import type { ResourceRule } from "../../../../policies/core/rule.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { imageDigest } from "../../../../policies/rules/kubernetes/image-digest.ts";
import { podCapabilities } from "../../../../policies/rules/kubernetes/pod-capabilities.ts";
import { podEscalation } from "../../../../policies/rules/kubernetes/pod-escalation.ts";
import { podHost } from "../../../../policies/rules/kubernetes/pod-host.ts";
import { podKernel } from "../../../../policies/rules/kubernetes/pod-kernel.ts";
import { podNonRoot } from "../../../../policies/rules/kubernetes/pod-non-root.ts";
import { podReadOnlyRoot } from "../../../../policies/rules/kubernetes/pod-read-only-root.ts";
import { podSeccomp } from "../../../../policies/rules/kubernetes/pod-seccomp.ts";
import { secretFiles } from "../../../../policies/rules/kubernetes/secret-files.ts";
import { container, everyKind, pod, statefulSet } from "./pods.ts";

const settings = { plan: blackroad, production: true };
const judge = (rule: ResourceRule, spec: unknown) => judgeResource(rule, statefulSet(spec), settings);
const rules = [imageDigest, podCapabilities, podEscalation, podHost, podKernel, podNonRoot, podReadOnlyRoot, podSeccomp, secretFiles];
const inPod = "spec.template.spec";
const first = `${inPod}.containers[0]`;
/** A pod whose second, starting container is changed. */
const starting = (one: unknown) => pod({ initContainers: [one] });

describe("the rules of restricted pods", () => {
  it.each(rules.map((rule) => [rule.id, rule] as const))("%s lets a restricted pod pass, whatever runs it", (_, rule) => {
    expect(everyKind(starting(container())).flatMap((facts) => judgeResource(rule, facts, settings))).toEqual([]);
  });

  it.each<readonly [string, ResourceRule, unknown, string]>([
    ["an image with a tag", imageDigest, pod({ containers: [container({ image: "registry.example/dr:1" })] }), `${first}.image`],
    ["an image by half a digest", imageDigest, pod({ containers: [container({ image: "registry.example/dr@sha256:0123" })] }), `${first}.image`],
    ["no image", imageDigest, pod({ containers: [{ name: "server" }] }), `${first}.image`],
    ["a starting container's image with a tag", imageDigest, starting(container({ image: "busybox" })), `${inPod}.initContainers[0].image`],
    ["capabilities that stay", podCapabilities, pod({ containers: [container({}, { capabilities: { drop: ["NET_RAW"] } })] }), `${first}.securityContext.capabilities.drop`],
    ["capabilities of which nothing is said", podCapabilities, pod({ containers: [container({ securityContext: {} })] }), `${first}.securityContext.capabilities.drop`],
    ["a capability that is given back", podCapabilities, pod({ containers: [container({}, { capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } })] }), `${first}.securityContext.capabilities.add`],
    ["rights that can be gained", podEscalation, pod({ containers: [container({}, { allowPrivilegeEscalation: true })] }), `${first}.securityContext.allowPrivilegeEscalation`],
    ["rights of which nothing is said", podEscalation, pod({ containers: [container({ securityContext: {} })] }), `${first}.securityContext.allowPrivilegeEscalation`],
    ["the node's network", podHost, pod({ hostNetwork: true }), `${inPod}.hostNetwork`],
    ["the node's processes", podHost, pod({ hostPID: true }), `${inPod}.hostPID`],
    ["the node's shared memory", podHost, pod({ hostIPC: true }), `${inPod}.hostIPC`],
    ["the node's files", podHost, pod({ volumes: [{ name: "root", hostPath: { path: "/" } }] }), `${inPod}.volumes[0].hostPath`],
    ["a file system by the network", podHost, pod({ volumes: [{ name: "data", nfs: { server: "192.0.2.1", path: "/" } }] }), `${inPod}.volumes[0].nfs`],
    ["an image as a volume", podHost, pod({ volumes: [{ name: "data", image: { reference: "registry.example/data:1" } }] }), `${inPod}.volumes[0].image`],
    ["root by its number", podNonRoot, pod({}, { runAsUser: 0 }), `${inPod}.securityContext.runAsUser`],
    ["a container that is root by its number", podNonRoot, pod({ containers: [container({}, { runAsUser: 0 })] }), `${first}.securityContext.runAsUser`],
    ["what is mounted of /proc", podKernel, pod({ containers: [container({}, { procMount: "Unmasked" })] }), `${first}.securityContext.procMount`],
    ["settings of the kernel", podKernel, pod({}, { sysctls: [{ name: "kernel.msgmax", value: "1" }] }), `${inPod}.securityContext.sysctls`],
    ["no AppArmor", podKernel, pod({ containers: [container({}, { appArmorProfile: { type: "Unconfined" } })] }), `${first}.securityContext.appArmorProfile.type`],
    ["another type of SELinux", podKernel, pod({}, { seLinuxOptions: { type: "spc_t" } }), `${inPod}.securityContext.seLinuxOptions`],
    ["a container for debugging with a tag", imageDigest, pod({ ephemeralContainers: [container({ image: "busybox" })] }), `${inPod}.ephemeralContainers[0].image`],
    ["a container for debugging that is privileged", podHost, pod({ ephemeralContainers: [container({}, { privileged: true })] }), `${inPod}.ephemeralContainers[0].securityContext.privileged`],
    ["a port of the node", podHost, pod({ containers: [container({ ports: [{ containerPort: 443, hostPort: 443 }] })] }), `${first}.ports[0].hostPort`],
    ["a privileged container", podHost, pod({ containers: [container({}, { privileged: true })] }), `${first}.securityContext.privileged`],
    ["a pod that may be root", podNonRoot, pod({}, { runAsNonRoot: false }), `${inPod}.securityContext.runAsNonRoot`],
    ["a pod that does not say that it is not root", podNonRoot, pod({ securityContext: {} }), `${inPod}.securityContext.runAsNonRoot`],
    ["one container that may be root", podNonRoot, pod({ containers: [container({}, { runAsNonRoot: false })] }), `${first}.securityContext.runAsNonRoot`],
    ["a root that can be written", podReadOnlyRoot, pod({ containers: [container({}, { readOnlyRootFilesystem: false })] }), `${first}.securityContext.readOnlyRootFilesystem`],
    ["a root of which nothing is said", podReadOnlyRoot, pod({ containers: [container({ securityContext: {} })] }), `${first}.securityContext.readOnlyRootFilesystem`],
    ["every system call", podSeccomp, pod({}, { seccompProfile: { type: "Unconfined" } }), `${inPod}.securityContext.seccompProfile.type`],
    ["system calls of which nothing is said", podSeccomp, pod({ securityContext: {} }), `${inPod}.securityContext.seccompProfile.type`],
    ["one container with every system call", podSeccomp, pod({ containers: [container({}, { seccompProfile: { type: "Unconfined" } })] }), `${first}.securityContext.seccompProfile.type`],
    ["a secret in a variable", secretFiles, pod({ containers: [container({ env: [{ name: "PGPASSWORD", valueFrom: { secretKeyRef: { name: "pg", key: "value" } } }] })] }), `${first}.env[0].valueFrom.secretKeyRef`],
    ["a whole secret in the environment", secretFiles, pod({ containers: [container({ envFrom: [{ secretRef: { name: "pg" } }] })] }), `${first}.envFrom[0].secretRef`],
    ["a secret in a starting container's variable", secretFiles, starting(container({ env: [{ name: "P", valueFrom: { secretKeyRef: { name: "pg", key: "value" } } }] })), `${inPod}.initContainers[0].env[0].valueFrom.secretKeyRef`],
  ])("catch %s", (_, rule, spec, path) => {
    expect(judge(rule, spec)).toMatchObject([{ kind: "violation", path, message: expect.stringContaining(rule.fix) as unknown }]);
  });

  it.each(rules.filter((rule) => rule !== podHost && rule !== podKernel && rule !== secretFiles).map((rule) => [rule.id, rule] as const))("%s catches a pod of which nothing is said, in every kind", (_, rule) => {
    for (const facts of everyKind({ containers: [{}] })) expect(judgeResource(rule, facts, settings)).toMatchObject([{ kind: "violation" }]);
  });

  it.each(rules.map((rule) => [rule.id, rule] as const))("%s says what it could not judge before `up`", (_, rule) => {
    expect(judge(rule, unknown)).toContainEqual(expect.objectContaining({ kind: "unjudged" }));
    expect(judge(rule, pod({ containers: unknown }))).toMatchObject([{ kind: "unjudged", path: `${inPod}.containers` }]);
    const findings = judge(rule, pod({ containers: [container(), unknown], securityContext: unknown }));
    expect(findings).not.toEqual([]);
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(["unjudged"]));
  });

  it.each(rules.map((rule) => [rule.id, rule] as const))("%s judges no pod without a container to be a good one", (_, rule) => {
    expect(judge(rule, pod({ containers: [] }))).toMatchObject([{ kind: "violation", path: `${inPod}.containers` }]);
  });

  it("let a container that says so itself make up for its pod, and lets it have what the standard lets it have", () => {
    expect(judge(podNonRoot, pod({ securityContext: {}, containers: [container({}, { runAsNonRoot: true })] }))).toEqual([]);
    expect(judge(podSeccomp, pod({ securityContext: {}, containers: [container({}, { seccompProfile: { type: "Localhost" } })] }))).toEqual([]);
    expect(judge(podCapabilities, pod({ containers: [container({}, { capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } })] }))).toEqual([]);
    expect(judge(secretFiles, pod({ containers: [container({ env: [{ name: "HOME", value: "/tmp" }], envFrom: [{ configMapRef: { name: "public" } }] })] }))).toEqual([]);
  });

  it("let a test's own image pass outside production alone", () => {
    const facts = statefulSet(pod({ containers: [container({ image: "local/blackroad-dr:test" })] }));
    expect(judgeResource(imageDigest, facts, { ...settings, production: false })).toEqual([]);
    expect(judgeResource(imageDigest, facts, settings)).toMatchObject([{ kind: "violation" }]);
  });
});
