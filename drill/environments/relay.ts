import { rm } from "node:fs/promises";
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";
import { parseArgs } from "node:util";
import { DrError, messageOf } from "../../runner/errors.ts";
import { Valve } from "./valve.ts";

export interface RelayOptions {
  /** `127.0.0.1:PORT` (0: a free one) or the path of a Unix socket. */
  readonly listen: string;
  /** `HOST:PORT` or the path of a Unix socket. */
  readonly to: string;
  /** Of all connections together, per direction. Default: no limit. */
  readonly bytesPerSecond?: number;
}

/**
 * A TCP relay with faults: what makes a store slow, silent or gone in a test, and the one door of a network
 * namespace that has nothing but its loopback (a relay inside listens there and connects to a Unix socket, a relay
 * outside listens on that socket).
 */
export interface Relay {
  /** 0 for a Unix socket. */
  readonly port: number;
  /** New connections are refused by the system, the present ones are cut. */
  refuse(): Promise<void>;
  /** Listens again on the same port, and lets what was held go on. */
  accept(): Promise<void>;
  /** Connections are taken and held, and nothing moves. */
  hang(): void;
  /** Every connection is cut once this many more bytes have gone towards the server; `undefined`: never. */
  cutAfter(bytes: number | undefined): void;
  /** `undefined`: no limit. */
  setRate(bytesPerSecond: number | undefined): void;
  close(): Promise<void>;
}

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const upward = new Valve(options.bytesPerSecond);
  const downward = new Valve(options.bytesPerSecond);
  const sockets = new Set<Socket>();
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const join = (client: Socket) => {
    const server = connect(address(options.to));
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }
    forward(client, server, upward, cutAll);
    forward(server, client, downward, cutAll);
  };
  let listener = await listen(address(options.listen), join);
  const port = portOf(listener);
  const again = port === 0 ? address(options.listen) : { ...address(options.listen), port };
  const stop = async () => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    cutAll();
    await closed;
  };
  const open = () => {
    upward.open();
    downward.open();
  };
  return {
    port,
    refuse: stop,
    accept: async () => {
      open();
      if (!listener.listening) listener = await listen(again, join);
    },
    hang: () => {
      upward.shut();
      downward.shut();
    },
    cutAfter: (bytes) => upward.setBudget(bytes),
    setRate: (rate) => {
      upward.setRate(rate);
      downward.setRate(rate);
    },
    close: async () => {
      await stop();
      open(); // whoever waits at a valve ends
    },
  };
}

/** Moves bytes one way through the valve; the end of one side ends the other, an error cuts both. */
function forward(from: Socket, to: Socket, valve: Valve, cutAll: () => void): void {
  const cut = () => {
    from.destroy();
    to.destroy();
  };
  const move = async (chunk: Buffer) => {
    const allowed = await valve.pass(chunk.length);
    if (!allowed) cutAll();
    else if (to.destroyed || from.destroyed) cut();
    else if (to.write(chunk)) from.resume();
    else to.once("drain", () => from.resume());
  };
  let moving = Promise.resolve(); // a socket's end overtakes its last bytes while they wait at the valve
  from.on("data", (chunk: Buffer) => {
    from.pause();
    moving = move(chunk);
  });
  from.once("error", cut); // a reset is what a relay is there to pass on
  from.once("end", () => void moving.then(() => to.end()));
  from.once("close", () => void moving.then(() => to.destroySoon()));
}

function address(text: string): NetConnectOpts & { readonly port?: number; readonly path?: string } {
  if (text.startsWith("/")) return { path: text };
  const colon = text.lastIndexOf(":");
  const port = Number(text.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new DrError({ kind: "usage", what: `\`${text}\` is no address`, where: "relay", todo: "Write HOST:PORT, or the absolute path of a Unix socket." });
  }
  return { host: text.slice(0, colon), port };
}

async function listen(where: ReturnType<typeof address>, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, onConnection);
  if (where.path !== undefined) await rm(where.path, { force: true }); // what a killed relay left
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, resolve);
  });
  return server;
}

function portOf(server: Server): number {
  const bound = server.address();
  return bound === null || typeof bound === "string" ? 0 : bound.port;
}

/** As a process of its own: `node relay.ts --listen WHERE --to WHERE [--rate BYTES]`; prints `listening PORT`. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { listen: { type: "string" }, to: { type: "string" }, rate: { type: "string" } } });
  const { listen: where, to, rate } = values;
  if (where === undefined || to === undefined) throw new DrError({ kind: "usage", what: "an address is missing", where: "relay", todo: "Give --listen and --to." });
  const relay = await startRelay({ listen: where, to, ...(rate === undefined ? {} : { bytesPerSecond: Number(rate) }) });
  process.stdout.write(`listening ${relay.port}\n`);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void relay.close().then(() => process.exit(0)));
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = error instanceof DrError ? error.exitCode : 1;
  });
}
