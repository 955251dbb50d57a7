import { describe, expect, it } from "vitest";
import { parsePort, parsePortOrAny } from "../../../cli/options/port.ts";

describe("a port on the command line", () => {
  it.each(["1", "5432", "65535"])("%s is one", (text) => {
    expect([parsePort(text), parsePortOrAny(text)]).toEqual([Number(text), Number(text)]);
  });

  it.each(["", " ", "-1", "65536", "0x50", "80.5", "http", "1e3"])("%j is none", (text) => {
    expect(() => parsePort(text)).toThrow(/a port from 1 to 65535 is expected/);
    expect(() => parsePortOrAny(text)).toThrow(/or 0 for any/);
  });

  it("is any free one for 0, where somebody listens", () => {
    expect(parsePortOrAny("0")).toBe(0);
    expect(() => parsePort("0")).toThrow();
  });
});
