import * as k8s from "@pulumi/kubernetes";
import type { types } from "@pulumi/kubernetes";
import { tlsSecret } from "../../../plan/servers.ts";
import { days } from "../../../plan/units.ts";
import { hostIn, type IssuerRef } from "../../topology.ts";
import { child, type ServerSet } from "./context.ts";
import { clientHost, headlessName } from "./services.ts";

/** Redis, and Qdrant between its peers, read a certificate when they start: a year leaves room for a restart in between,
 * and cert-manager has the new one ready three months before the old one ends. */
const lifetime = days(365);
const renewBefore = days(90);
const hours = (duration: number): string => `${Math.round(duration / 3_600)}h`;

export const tlsFolder = "/etc/dr-tls";
export const tlsFiles = { certFile: `${tlsFolder}/tls.crt`, keyFile: `${tlsFolder}/tls.key`, caFile: `${tlsFolder}/ca.crt` } as const;
const secretOf = ({ base }: ServerSet): string => tlsSecret(base);

/** One certificate for the servers of a set, for every name that they go by; to each other they are clients too. */
export function certificate(set: ServerSet, issuer: IssuerRef): k8s.apiextensions.CustomResource {
  return new k8s.apiextensions.CustomResource(
    `${set.prefix}-certificate`,
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name: secretOf(set), namespace: set.place.namespace, labels: set.labels },
      spec: {
        secretName: secretOf(set),
        commonName: set.base,
        dnsNames: namesOf(set),
        ipAddresses: ["127.0.0.1", "::1"],
        usages: ["digital signature", "key encipherment", "server auth", "client auth"],
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
        duration: hours(lifetime),
        renewBefore: hours(renewBefore),
        issuerRef: { group: "cert-manager.io", kind: issuer.kind, name: issuer.name },
      },
    },
    child(set),
  );
}

function namesOf(set: ServerSet): string[] {
  const inside = set.names.flatMap((name) => [`${name}.${set.place.namespace}.svc.cluster.local`, `${name}.${headlessName(set)}.${set.place.namespace}.svc.cluster.local`]);
  return [...new Set([...set.names.map((name) => hostIn(set.place, name)), ...inside, set.base, `${set.base}.${set.place.namespace}.svc`, clientHost(set.base, set.place), "localhost"])];
}

export function tlsMount(set: ServerSet): { readonly volume: types.input.core.v1.Volume; readonly mount: types.input.core.v1.VolumeMount } {
  return { volume: { name: "tls", secret: { secretName: secretOf(set), defaultMode: 0o440 } }, mount: { name: "tls", mountPath: tlsFolder, readOnly: true } };
}
