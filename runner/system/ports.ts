import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";
import { DrError } from "../errors.ts";

/** Below the range that the kernel gives to outgoing connections, so that none of them takes a port before its server does. */
const lowest = 12_000;
const highest = 32_000;
const attempts = 2_000;

function hold(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => resolve(server));
  });
}

const release = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Ports of 127.0.0.1 that nobody listens on, all different. Whoever else asks meanwhile draws from the same range at random. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  try {
    for (let attempt = 0; held.size < count; attempt += 1) {
      if (attempt >= attempts) throw new DrError({ kind: "unavailable", what: `this machine has no ${count} free ports`, where: `127.0.0.1, ports ${lowest} to ${highest}`, todo: "Stop servers that are not needed." });
      const port = randomInt(lowest, highest);
      const server = held.has(port) ? undefined : await hold(port);
      if (server !== undefined) held.set(port, server);
    }
  } finally {
    await Promise.all([...held.values()].map(release));
  }
  return [...held.keys()];
}

/** One of them. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}
