import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { freePorts } from "../../../runner/system/ports.ts";

describe("free ports", () => {
  it("are all different, outside the range of outgoing connections, and free", async () => {
    const found = await freePorts(40);
    expect(new Set(found).size).toBe(40);
    for (const port of found) {
      expect(port).toBeLessThan(32_768);
      await new Promise<void>((resolve, reject) => {
        const server = createServer();
        server.once("error", reject);
        server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
      });
    }
  });
});
