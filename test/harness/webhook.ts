import { createServer } from "node:http";
import { text } from "node:stream/consumers";

export interface WebhookCall {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** A server that writes down what it is told; `answer` says with which status, or `never`. */
export interface TestWebhook {
  readonly url: string;
  readonly calls: readonly WebhookCall[];
  answer: number | "never";
  close(): Promise<void>;
}

export async function startWebhook(): Promise<TestWebhook> {
  const calls: WebhookCall[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      calls.push({ method: request.method ?? "", path: request.url ?? "", authorization: request.headers.authorization, body: JSON.parse(body) as unknown });
      if (webhook.answer === "never") return;
      response.writeHead(webhook.answer);
      response.end("as told");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
  const webhook: TestWebhook = {
    url: `http://127.0.0.1:${bound.port}`,
    calls,
    answer: 204,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  return webhook;
}
