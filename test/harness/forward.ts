import { connect, createServer, type Socket } from "node:net";

export interface Forward {
  readonly port: number;
  close(): Promise<void>;
}

/** Passes on what comes to a free port of the address `at`: pods reach this machine's loopback interface by it, and it pods. */
export async function forward(at: string, to: { readonly host: string; readonly port: number }): Promise<Forward> {
  const open = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect(to);
    for (const [from, to] of [[incoming, outgoing], [outgoing, incoming]] as const) {
      open.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => void open.delete(from));
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, at, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
  return {
    port: bound.port,
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
