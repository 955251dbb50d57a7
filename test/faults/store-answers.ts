import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { Certificate } from "../../drill/environments/certificates.ts";

/** What an object store answers to everything: a status, an answer that breaks off, or a certificate that is over. */
export type Answer = 500 | 403 | 404 | "cut" | "expired";

const codes = { 500: "InternalError", 403: "AccessDenied", 404: "NoSuchBucket" } as const;

export interface BrokenStore {
  readonly endpoint: string;
  /** Questions so far. */
  asked(): number;
  close(): Promise<void>;
}

/** An object store over TLS that does nothing right. */
export async function startBrokenStore({ certificate, key }: Certificate, answer: Answer): Promise<BrokenStore> {
  let asked = 0;
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
    asked += 1;
    request.resume();
    if (typeof answer === "number") {
      const body = `<?xml version="1.0"?><Error><Code>${codes[answer]}</Code><Message>by the test</Message></Error>`;
      response.writeHead(answer, { "content-type": "application/xml", "content-length": body.length }).end(body);
      return;
    }
    response.writeHead(200, { "content-type": "application/xml", "content-length": 10_000 });
    response.write("<?xml version", () => request.socket.destroy());
  });
  server.on("tlsClientError", () => undefined); // whoever refuses our certificate says so himself
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
  return {
    endpoint: `localhost:${bound.port}`,
    asked: () => asked,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}
