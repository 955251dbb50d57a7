import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { blackroad } from "../../plan/blackroad.ts";
import { ports } from "../../plan/servers.ts";
import type { Registered } from "../harness/pulumi.ts";
import { declareStack } from "../harness/stacks.ts";

const labels = z.record(z.string(), z.string());
const service = z.object({ metadata: z.object({ name: z.string() }), spec: z.object({ clusterIP: z.string().optional(), selector: labels, ports: z.array(z.object({ port: z.number() })) }) });
const peer = z.object({ podSelector: z.object({ matchLabels: labels }).optional(), namespaceSelector: z.unknown().optional() });
const policy = z.object({ metadata: z.object({ name: z.string() }), spec: z.object({ egress: z.array(z.object({ to: z.array(peer), ports: z.array(z.object({ port: z.number() })) })).default([]) }) });
const files = z.object({ metadata: z.object({ name: z.string() }), data: z.record(z.string(), z.string()) });
const server = z.object({ host: z.string(), port: z.number() });
const drJson = z.object({ postgres: server.extend({ pgbackrestServer: server.optional() }).optional(), redis: z.object({ servers: z.array(server) }).optional() });

const inside = /^(?:([a-z0-9-]+)\.)?([a-z0-9-]+)\.blackroad-dr\.svc\.cluster\.local$/;

/**
 * What a pod is told to speak to must be a service that has the port, and its policy must let it go there. EKS holds a
 * policy against the service's address by the service's own selector, and against a load balancer's by ranges alone.
 */
describe.each(["primary", "secondary"] as const)("in the stack %s", (role) => {
  let all: readonly Registered[] = [];
  beforeAll(async () => {
    ({ all } = await declareStack(blackroad, role));
  });

  const inputsOf = <T>(type: string, schema: z.ZodType<T>): readonly T[] => all.filter((one) => one.type === type).map(({ inputs }) => schema.parse(inputs));
  const textsOf = (name: string) => inputsOf("kubernetes:core/v1:ConfigMap", files).filter(({ metadata }) => metadata.name === name).flatMap(({ data }) => Object.values(data)).join("\n");

  /** What keeps the pods of a policy from a server; `undefined`: nothing. */
  function obstacle(policyName: string, host: string, port: number): string | undefined {
    const [, pod, name] = inside.exec(host) ?? [];
    const found = inputsOf("kubernetes:core/v1:Service", service).find(({ metadata }) => metadata.name === name);
    if (found === undefined) return `${host} is no service of the namespace`;
    if (pod === undefined && !found.spec.ports.some((one) => one.port === port)) return `${host} has no port ${port}`;
    if (pod !== undefined && found.spec.clusterIP !== "None") return `${host}: the service names no pods`;
    const rules = inputsOf("kubernetes:networking.k8s.io/v1:NetworkPolicy", policy).find(({ metadata }) => metadata.name === policyName)?.spec.egress ?? [];
    const open = rules.filter(({ ports }) => ports.some((one) => one.port === port)).flatMap(({ to }) => to);
    const lets = open.some(({ namespaceSelector, podSelector }) => namespaceSelector === undefined && podSelector !== undefined && Object.entries(podSelector.matchLabels).every(([label, value]) => found.spec.selector[label] === value));
    return lets ? undefined : `${policyName} lets nobody go to ${host}:${port}`;
  }

  it("every job and the exporter reach the servers that they are told of", () => {
    const configured = inputsOf("kubernetes:core/v1:ConfigMap", files).filter(({ metadata }) => metadata.name.startsWith("dr-config-"));
    const told = configured.flatMap(({ data, metadata }) => {
      const { postgres, redis } = drJson.parse(JSON.parse(data["dr.json"] ?? ""));
      const identity = metadata.name.slice("dr-config-".length);
      return [postgres, postgres?.pgbackrestServer, ...(redis?.servers ?? [])].filter((one) => one !== undefined).map((one) => ({ policyName: identity === "exporter" ? "exporter-network" : `jobs-${identity}-network`, ...one }));
    });
    expect(told.length).toBeGreaterThan(8);
    expect(told.map(({ host, policyName, port }) => obstacle(policyName, host, port)).filter((one) => one !== undefined)).toEqual([]);
  });

  it("the proxy reaches pgBackRest beside the database, to which no service has a door", () => {
    const told = [...textsOf("postgres-files").matchAll(/server \S+ (\S+):8432 /g)].map((match) => match[1] ?? "");
    expect(told.length).toBeGreaterThan(0);
    expect(told.map((host) => obstacle("postgres-proxy-network", host, 8432)).filter((one) => one !== undefined)).toEqual([]);
  });

  it("the servers of Vault and of the vector store find each other in their region, and are not exposed", () => {
    const vault = [...textsOf("vault-files").matchAll(/leader_api_addr = "https:\/\/([^:]+):(\d+)"/g)].map(([, host = "", port]) => obstacle("vault-network", host, Number(port)));
    const qdrant = [...textsOf("qdrant-files").matchAll(/ qdrant-\d=(\S+?);?(?=\s)/g)].map(([, host = ""]) => obstacle("vectors-network", host, ports.vectors.peers));
    expect([vault.length > 0, qdrant.length > 0]).toEqual([true, true]);
    expect([...vault, ...qdrant].filter((one) => one !== undefined)).toEqual([]);
    const exposed = all.filter(({ inputs, type }) => type === "kubernetes:core/v1:Service" && JSON.stringify(inputs).includes('"LoadBalancer"')).map(({ inputs }) => service.parse(inputs).metadata.name);
    expect(exposed.filter((name) => /vault|qdrant/.test(name))).toEqual([]);
  });
});
