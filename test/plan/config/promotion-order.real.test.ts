import { mkdtemp, rm, utimes } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failoverPriority, stepBackCommand } from "../../../plan/config/promotion-order.ts";
import { run } from "../../../runner/system/process.ts";

const far = { name: "b1", region: "us-west-2", role: "secondary-region" } as const;
const near = { name: "a2", region: "us-east-1", role: "primary-region" } as const;
const old = { major: 3, minor: 0 };

let folder = "";
let server: Server;
let status = 200;
let url = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "it's a folder "));
  server = createServer((_, answer) => answer.writeHead(status).end());
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/replica`;
});
afterEach(async () => {
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true });
});

/** Runs the command as Patroni does: split by shlex, started without a shell. */
async function promotes(): Promise<boolean> {
  const command = stepBackCommand({ version: old, member: far, nearReplicas: [url], stampFile: join(folder, "stamp") });
  const { code } = await run("python3", ["-c", "import shlex,subprocess,sys; sys.exit(subprocess.call(shlex.split(sys.argv[1])))", command ?? ""], { deadline: 10, accept: [0, 1] });
  return code === 0;
}

describe("a standby of the secondary region that has the lock", () => {
  it("gives it back while a standby of the primary region answers, but not a second time", async () => {
    status = 200;
    expect(await promotes()).toBe(false);
    expect(await promotes()).toBe(true);
  });

  it("gives it back again when the last time is long ago", async () => {
    status = 200;
    expect(await promotes()).toBe(false);
    await utimes(join(folder, "stamp"), new Date(0), new Date(0));
    expect(await promotes()).toBe(false);
  });

  it("is promoted where that standby is no healthy replica", async () => {
    status = 503;
    expect(await promotes()).toBe(true);
  });

  it("is promoted where nobody answers: the primary region is lost", async () => {
    url = "http://127.0.0.1:9/replica";
    expect(await promotes()).toBe(true);
  });
});

describe("the order of promotion", () => {
  it("is Patroni's own from 3.2 on", () => {
    const version = { major: 4, minor: 0 };
    expect(stepBackCommand({ version, member: far, nearReplicas: [url], stampFile: "/stamp" })).toBeUndefined();
    expect([near, far].map((member) => failoverPriority(version, member))).toEqual([2, 1]);
    expect(failoverPriority(old, near)).toBeUndefined();
  });

  it("asks nothing of a standby in the primary region", () => {
    expect(stepBackCommand({ version: old, member: near, nearReplicas: [url], stampFile: "/stamp" })).toBeUndefined();
  });
});
