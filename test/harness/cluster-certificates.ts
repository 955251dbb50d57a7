import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Authority } from "../../drill/environments/certificates.ts";
import { run } from "../../runner/system/process.ts";
import type { KubernetesObject } from "./kubernetes.ts";

const certificate = z.object({ metadata: z.object({ namespace: z.string() }), spec: z.object({ secretName: z.string(), commonName: z.string(), dnsNames: z.array(z.string()).default([]), uris: z.array(z.string()).default([]) }) });

/** What cert-manager would make of the Certificates among these objects, where it does not run: the secrets that pods wait for. */
export async function issuedSecrets(authority: Authority, objects: readonly KubernetesObject[]): Promise<readonly KubernetesObject[]> {
  const wanted = objects.filter(({ kind }) => kind === "Certificate").map((object) => certificate.parse(object));
  return Promise.all(wanted.map(async ({ metadata: { namespace }, spec: { commonName, dnsNames, secretName, uris } }) => {
    const at = (ending: string): string => join(authority.folder, `${namespace}-${secretName}.${ending}`);
    const names = [...dnsNames.map((name) => `DNS:${name}`), ...uris.map((uri) => `URI:${uri}`)];
    await writeFile(at("ext"), ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature,keyEncipherment", "extendedKeyUsage=serverAuth,clientAuth", ...(names.length === 0 ? [] : [`subjectAltName=${names.join(",")}`]), ""].join("\n"));
    await run("openssl", ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", `/CN=${commonName}`, "-keyout", at("key"), "-out", at("csr")], { deadline: 30 });
    await run("openssl", ["x509", "-req", "-in", at("csr"), "-CA", authority.certificate, "-CAkey", authority.key, "-set_serial", `0x01${randomBytes(16).toString("hex")}`, "-days", "2", "-extfile", at("ext"), "-out", at("crt")], { deadline: 30 });
    const files = { "ca.crt": authority.certificate, "tls.crt": at("crt"), "tls.key": at("key") };
    const data = Object.fromEntries(await Promise.all(Object.entries(files).map(async ([key, path]) => [key, (await readFile(path)).toString("base64")] as const)));
    return { apiVersion: "v1", kind: "Secret", metadata: { name: secretName, namespace }, data };
  }));
}
