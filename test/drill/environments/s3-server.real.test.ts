import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issue } from "../../../drill/environments/certificates.ts";
import { run } from "../../../runner/system/process.ts";
import { s3Installed } from "../../harness/s3.ts";
import { s3Backend, Stores } from "../../harness/stores.ts";

let stores: Stores;
beforeAll(async () => {
  stores = await Stores.open();
});
afterAll(() => stores.close());

describe("a drill's certificate", () => {
  it("is signed by its authority for every name and address, and its key is private", async () => {
    const { certificate, key, caFile } = await issue(stores.authority, { name: "check", hosts: ["localhost", "etcd-1", "127.0.0.1"] });
    const { stdout } = await run("openssl", ["verify", "-CAfile", caFile, certificate], { deadline: 10 });
    expect(stdout).toContain("OK");
    const { stdout: names } = await run("openssl", ["x509", "-in", certificate, "-noout", "-ext", "subjectAltName"], { deadline: 10 });
    expect(names).toMatch(/DNS:localhost, DNS:etcd-1, IP Address:127\.0\.0\.1/);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
  });
});

describe.skipIf(!s3Installed)("a drill's S3 server (needs versitygw)", () => {
  it("listens on the loopback alone, and keeps its accounts and objects over a kill", async () => {
    const first = await stores.s3("kept");
    const { stdout } = await run("ss", ["-ltnH", `sport = :${first.port}`], { deadline: 10 });
    expect(stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${first.port}\\b`));
    expect(stdout.trim().split("\n")).toHaveLength(1);
    const backend = await s3Backend(first);
    await backend.put("kept/object", Buffer.from("kept"));
    await first.kill();
    expect(first.server.running()).toBe(false);
    const again = await stores.s3("kept", { port: first.port });
    expect(String(await backend.read("kept/object"))).toBe("kept");
    await backend.put("kept/other", Buffer.from("new"));
    expect(again.writerCredentialsFile).toBe(first.writerCredentialsFile);
  });

  it("has no secret in its arguments or in a file that anybody else can read", async () => {
    const server = await stores.s3("quiet");
    const secret = /aws_secret_access_key = (\S+)/.exec(await readFile(server.writerCredentialsFile, "utf8"))?.[1] ?? "missing";
    const command = await readFile(`/proc/${server.server.pid}/cmdline`, "utf8");
    expect(command).toContain("versitygw");
    expect(command).not.toContain(secret);
    expect(command).not.toMatch(/--secret|--access\0/);
    for (const file of [server.writerCredentialsFile, server.readerCredentialsFile, join(stores.folder, "quiet", "accounts", "users.json")]) expect((await stat(file)).mode & 0o077).toBe(0);
    await expect(stat(join(stores.folder, "quiet", "root.env"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("says so where its port is taken", async () => {
    const first = await stores.s3("port-one");
    await expect(stores.s3("port-two", { port: first.port })).rejects.toThrow(/S3 server/);
  });
});
