import { createServer as createPlainServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { issue, makeAuthority, type Authority, type Certificate } from "../../../drill/environments/certificates.ts";
import { DrError } from "../../../runner/errors.ts";
import { HttpError, openHttpServer, type HttpServer } from "../../../runner/system/http.ts";
import { freePort, temporaryFolder } from "../../harness/temporary.ts";

const secret = "hvs.AAAAAQKzVerySecretIndeed";
const closing: (() => Promise<void>)[] = [];
let authority: Authority;
let certificate: Certificate;
let folder: string;

beforeAll(async () => {
  const temporary = await temporaryFolder("http");
  closing.push(() => temporary.remove());
  folder = temporary.path;
  authority = await makeAuthority(join(folder, "ca"));
  certificate = await issue(authority, { name: "server", hosts: ["localhost", "127.0.0.1"] });
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  }));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const plain = async (answer: RequestListener): Promise<HttpServer> => open(`http://127.0.0.1:${await listen(createPlainServer(answer))}`);
const tls = (of: Certificate): Promise<number> => listen(createTlsServer({ cert: readFileSync(of.certificate), key: readFileSync(of.key) }, (_request, response) => response.end("{}")));

async function open(url: string, more: { readonly caFile?: string } = {}): Promise<HttpServer> {
  const server = await openHttpServer({ name: "the server", url, headers: { "x-vault-token": secret }, ...more });
  closing.push(() => server.close());
  return server;
}

async function errorOf(work: Promise<unknown>): Promise<HttpError> {
  const error = await work.then(() => undefined, (caught: unknown) => caught);
  if (!(error instanceof HttpError)) throw new Error(`an HttpError was expected, and not ${String(error)}`);
  expect(JSON.stringify([error.message, error.stack, error.cause instanceof Error ? error.cause.message : ""])).not.toContain(secret);
  return error;
}

describe("a server that is spoken to by HTTP", () => {
  it("answers with text, with JSON of a shape, and with a stream", async () => {
    const server = await plain((request, response) => {
      if (request.method !== "POST") return void response.end('{"a": 1}');
      request.pipe(response);
    });
    expect(await server.json(z.object({ a: z.number() }), { path: "/" })).toEqual({ a: 1 });
    const { body } = await server.stream({ path: "/", method: "POST", body: Readable.from([Buffer.from("one "), Buffer.from("two")]) });
    expect((await buffer(body)).toString()).toBe("one two");
    expect((await server.text({ path: "/", method: "POST", json: { b: 2 } })).text).toBe('{"b":2}');
  });

  it("says that nobody listens where a port is refused", async () => {
    const server = await open(`http://127.0.0.1:${await freePort()}`);
    const error = await errorOf(server.text({ path: "/v1/x?key=1" }));
    expect(error).toMatchObject({ kind: "unavailable", fault: "refused", status: undefined });
    expect(error.message).toMatch(/did not answer: .*ECONNREFUSED.*\/v1\/x\)\. See whether it runs/);
  });

  it("tells a certificate of another authority from one for another name, and takes the right one", async () => {
    const port = await tls(certificate);
    const other = await makeAuthority(join(folder, "other"));
    const untrusted = await errorOf((await open(`https://127.0.0.1:${port}`, { caFile: other.certificate })).text({ path: "/" }));
    expect(untrusted).toMatchObject({ kind: "unavailable", fault: "certificate" });
    const unknown = await errorOf((await open(`https://127.0.0.1:${port}`)).text({ path: "/" }));
    expect(unknown.fault).toBe("certificate");
    const elsewhere = await tls(await issue(authority, { name: "elsewhere", hosts: ["elsewhere.test"] }));
    const wrongName = await errorOf((await open(`https://127.0.0.1:${elsewhere}`, { caFile: authority.certificate })).text({ path: "/" }));
    expect(wrongName.fault).toBe("certificate");
    expect(wrongName.message).toMatch(/altnames|does not match/);
    expect((await (await open(`https://127.0.0.1:${port}`, { caFile: authority.certificate })).text({ path: "/" })).text).toBe("{}");
  });

  it("names an authority's file that is not there, and an address that is none or holds a password", async () => {
    await expect(openHttpServer({ name: "it", url: "https://a", caFile: "/nowhere/ca.crt" })).rejects.toThrow(/authority of it's certificate cannot be read.*\/nowhere\/ca.crt/);
    await expect(openHttpServer({ name: "it", url: "a:b" })).rejects.toThrow(/is no URL/);
    const error = await openHttpServer({ name: "it", url: `https://user:${secret}@host:1` }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DrError);
    expect(String(error)).toMatch(/holds credentials \(host:1\)/);
    expect(String(error)).not.toContain(secret);
  });

  it.each([
    [500, "unavailable", /Read the server's log/],
    [403, "unavailable", /credentials/],
    [404, "failed", /address is the interface's/],
    [429, "unavailable", /try again/],
    [400, "failed", /Read the server's message/],
  ] as const)("turns a %i into words, with the server's own", async (status, kind, todo) => {
    const server = await plain((_request, response) => response.writeHead(status).end(`{"errors":["it is\n so"]}`));
    const error = await errorOf(server.text({ path: "/v1/a", method: "PUT" }));
    expect(error).toMatchObject({ status, kind, fault: undefined });
    expect(error.what).toBe(`the server answered ${status}: {"errors":["it is so"]}`);
    expect(error.todo).toMatch(todo);
    expect((await server.text({ path: "/", accept: [status] })).status).toBe(status);
  });

  it("repeats no secret that a server repeats, sent or answered", async () => {
    const server = await plain((request, response) => {
      if (request.url === "/echo") return void response.writeHead(400).end(`bad token ${String(request.headers["x-vault-token"])} and ${String(request.headers["authorization"])}`);
      response.end(`{"auth":{"client_token":"${secret}"`);
    });
    const echoed = await errorOf(server.text({ path: "/echo", headers: { authorization: `Bearer ${secret}2` } }));
    expect(echoed.what).toMatch(/bad token … and /);
    const broken = await errorOf(server.json(z.object({}), { path: "/" }));
    expect(broken.what).toMatch(/no JSON, \d+ characters/);
  });

  it("sends nobody elsewhere with what opens this server", async () => {
    let asked = 0;
    const other = await listen(createPlainServer((_request, response) => {
      asked += 1;
      response.end();
    }));
    const server = await plain((_request, response) => response.writeHead(307, { location: `http://127.0.0.1:${other}/v1/a?token=${secret}` }).end());
    const error = await errorOf(server.text({ path: "/" }));
    expect(error.message).toMatch(new RegExp(`answered 307 and names http://127.0.0.1:${other}/v1/a`));
    expect(asked).toBe(0);
  });

  it("takes an answer that is cut for none, as a text and as a stream", async () => {
    const server = await plain((request, response) => {
      response.writeHead(200, request.url === "/known" ? { "content-length": "1000" } : {});
      response.write("some of it", () => setImmediate(() => response.destroy()));
    });
    for (const path of ["/known", "/chunked"]) {
      expect((await errorOf(server.text({ path }))).kind).toBe("unavailable");
      const { body } = await server.stream({ path });
      await expect(buffer(body)).rejects.toThrow();
    }
  });

  it("gives up a server that does not answer, or not to its end, in time", async () => {
    const server = await plain((request, response) => {
      if (request.url === "/begun") response.write("{");
    });
    for (const path of ["/silent", "/begun"]) {
      const error = await errorOf(server.text({ path, deadline: 0.3 }));
      expect(error).toMatchObject({ fault: "late", kind: "unavailable" });
      expect(error.what).toMatch(/no whole answer within 0.3 s/);
    }
    expect((await errorOf(server.stream({ path: "/silent", deadline: 0.3 }))).fault).toBe("late");
  });

  it("stops when it is told to, with the reason that it was given", async () => {
    const server = await plain(() => undefined);
    const stop = new AbortController();
    const asked = server.text({ path: "/", signal: stop.signal });
    stop.abort(new Error("interrupted by hand"));
    await expect(asked).rejects.toThrow("interrupted by hand");
  });

  it("names what of an answer is not as its interface has it, and a page that is no answer at all", async () => {
    const server = await plain((request, response) => response.end(request.url === "/page" ? "<html>Welcome</html>" : '{"sealed":"no"}'));
    expect((await errorOf(server.json(z.object({ sealed: z.boolean() }), { path: "/?q=1" }))).message).toMatch(/sealed: .*boolean.*\(http:\/\/127.0.0.1:\d+\/\)/);
    expect((await errorOf(server.json(z.object({}), { path: "/page" }))).what).toMatch(/no JSON but a page/);
  });

  it("does not read an answer without end", async () => {
    const server = await plain((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1024 ** 2))) { /* until it is full */ }
      };
      response.on("drain", more);
      more();
    });
    const error = await errorOf(server.text({ path: "/" }));
    expect(error.what).toMatch(/longer than \d+ bytes/);
  });
});
