import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, it, onTestFinished } from "vitest";
import { issue, makeAuthority } from "../../../drill/environments/certificates.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

it("issues certificates at once, each signed by the authority and with a serial number of its own", async () => {
  const folder = await temporaryFolder("certificates-");
  onTestFinished(() => folder.remove());
  const authority = await makeAuthority(folder.path);
  const ca = new X509Certificate(await readFile(authority.certificate));
  const names = Array.from({ length: 24 }, (_, number) => `server-${String(number)}`);

  const issued = await Promise.all(names.map((name) => issue(authority, { name, hosts: ["localhost", "127.0.0.1"] })));

  const certificates = await Promise.all(issued.map(async ({ certificate }) => new X509Certificate(await readFile(certificate))));
  expect(certificates.every((each) => each.verify(ca.publicKey))).toBe(true);
  expect(new Set(certificates.map(({ serialNumber }) => serialNumber)).size).toBe(names.length);
});
