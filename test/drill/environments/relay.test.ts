import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRelay, type Relay } from "../../../drill/environments/relay.ts";
import { startServer } from "../../../runner/system/process.ts";
import { waitFor } from "../../../runner/system/wait.ts";

const mebibyte = 1024 ** 2;
let folder: string;
let echo: Server;
let to: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "relay-"));
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => undefined).pipe(socket));
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  const bound = echo.address();
  to = `127.0.0.1:${typeof bound === "object" ? (bound?.port ?? 0) : 0}`;
});
afterAll(async () => {
  echo.close();
  await rm(folder, { recursive: true });
});

async function dial(relay: Relay): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: relay.port, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** What comes back of what is sent, or the error's code. */
async function echoed(socket: Socket, data: Buffer): Promise<Buffer | string> {
  const answer = buffer(socket).catch((error: unknown) => String((error as NodeJS.ErrnoException).code));
  socket.end(data);
  return answer;
}

describe("a relay", () => {
  it("passes bytes both ways, and the end of each side", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to });
    const data = Buffer.alloc(5 * mebibyte, "agent");
    expect(data.equals((await echoed(await dial(relay), data)) as Buffer)).toBe(true);
    await relay.close();
  });

  it("keeps its rate over all connections together", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to, bytesPerSecond: 4 * mebibyte });
    const begun = performance.now();
    await Promise.all([1, 2].map(async () => echoed(await dial(relay), Buffer.alloc(2 * mebibyte))));
    const seconds = (performance.now() - begun) / 1_000;
    expect(seconds).toBeGreaterThan(0.9);
    expect(seconds).toBeLessThan(20);
    await relay.close();
  });

  it("refuses, and accepts again on the same port", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to });
    await relay.refuse();
    await expect(dial(relay)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await relay.accept();
    expect(String(await echoed(await dial(relay), Buffer.from("again")))).toBe("again");
    await relay.close();
  });

  it("holds everything while it hangs, and lets it go afterwards", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to });
    relay.hang();
    let came = false;
    const answer = echoed(await dial(relay), Buffer.from("held")).then((data) => {
      came = true;
      return String(data);
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(came).toBe(false);
    await relay.accept();
    expect(await answer).toBe("held");
    await relay.close();
  });

  it("cuts every connection after a number of bytes", async () => {
    const relay = await startRelay({ listen: "127.0.0.1:0", to });
    relay.cutAfter(mebibyte);
    const answer = await echoed(await dial(relay), Buffer.alloc(5 * mebibyte));
    expect(typeof answer === "string" ? 0 : answer.length).toBeLessThan(5 * mebibyte);
    await relay.close();
  });

  it("says that an address is none", async () => {
    await expect(startRelay({ listen: "nowhere", to })).rejects.toThrow(/is no address/);
  });

  it("is a door through a Unix socket, with a process on each side", async () => {
    const program = join(import.meta.dirname, "../../../drill/environments/relay.ts");
    const socket = join(folder, "door.sock");
    const start = async (name: string, listen: string, target: string) => {
      const logFile = join(folder, `${name}.log`);
      const server = await startServer(name, process.execPath, [program, "--listen", listen, "--to", target], { logFile });
      const port = await waitFor(`the relay ${name}`, async () => /listening (\d+)/.exec(await readFile(logFile, "utf8"))?.[1], { within: 10 });
      return { server, port: Number(port) };
    };
    const outside = await start("outside", socket, to);
    const inside = await start("inside", "127.0.0.1:0", socket);
    const client = connect({ host: "127.0.0.1", port: inside.port, allowHalfOpen: true });
    await once(client, "connect");
    expect(String(await echoed(client, Buffer.from("through the door")))).toBe("through the door");
    await inside.server.stop();
    await outside.server.stop();
  });
});
