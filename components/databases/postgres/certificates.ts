import * as k8s from "@pulumi/kubernetes";
import type { types } from "@pulumi/kubernetes";
import { postgresPaths } from "../../../plan/config/postgres-files.ts";
import { days } from "../../../plan/units.ts";
import type { IssuerRef } from "../../topology.ts";
import { child, type ServerSet } from "../servers/context.ts";

/** Not every server here reads a renewed certificate before it is started again: a year leaves room for a restart in
 * between, and cert-manager has the new one ready three months before the old one ends. */
const lifetime = days(365);
const renewBefore = days(90);
const hours = (duration: number): string => `${Math.round(duration / 3_600)}h`;

export interface CertificateArgs {
  /** Of plan/config/postgres-files.ts `certificateNames`. */
  readonly name: string;
  readonly commonName: string;
  /** Names by which clients reach the server; a client alone has none. */
  readonly dnsNames?: readonly string[];
  /** What names a client that must not be named as a host. */
  readonly uris?: readonly string[];
  readonly usages: readonly ("server auth" | "client auth")[];
}

export const certificateSecret = ({ base }: Pick<ServerSet, "base">, name: string): string => `${base}-${name}-tls`;

/** A certificate for one purpose, so that what is stolen of one opens nothing else. */
export function certificate(set: ServerSet, issuer: IssuerRef, { commonName, dnsNames, name, uris, usages }: CertificateArgs): k8s.apiextensions.CustomResource {
  const secretName = certificateSecret(set, name);
  return new k8s.apiextensions.CustomResource(
    `${set.prefix}-${name}-certificate`,
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name: secretName, namespace: set.place.namespace, labels: set.labels },
      spec: {
        secretName,
        commonName,
        ...(dnsNames === undefined ? {} : { dnsNames: [...dnsNames] }),
        ...(uris === undefined ? {} : { uris: [...uris] }),
        usages: ["digital signature", "key encipherment", ...usages],
        privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
        duration: hours(lifetime),
        renewBefore: hours(renewBefore),
        issuerRef: { group: "cert-manager.io", kind: issuer.kind, name: issuer.name },
      },
    },
    child(set),
  );
}

interface Mounted {
  readonly volume: types.input.core.v1.Volume;
  readonly mount: types.input.core.v1.VolumeMount;
}

/** Root's and the group's alone: PostgreSQL and pgBackRest refuse a key that others can read. */
const mode = 0o440;

/** The files of one certificate, where plan/config/postgres-files.ts says that they are. `keyName`: HAProxy looks for
 * a certificate's key under the certificate's name. */
export function certificateMount(set: ServerSet, name: string, keyName = "tls.key"): Mounted {
  const items = [{ key: "ca.crt", path: "ca.crt" }, { key: "tls.crt", path: "tls.crt" }, { key: "tls.key", path: keyName }];
  return secretMount(`tls-${name}`, certificateSecret(set, name), `${postgresPaths.tls}/${name}`, items);
}

/** The authority of a private object store. */
export const authorityMount = (backend: string, secretName: string): Mounted => secretMount(`store-${backend}`, secretName, `${postgresPaths.tls}/store-${backend}`, [{ key: "ca.crt", path: "ca.crt" }]);

const secretMount = (name: string, secretName: string, mountPath: string, items: { key: string; path: string }[]): Mounted => ({
  volume: { name, secret: { secretName, defaultMode: mode, items } },
  mount: { name, mountPath, readOnly: true },
});
