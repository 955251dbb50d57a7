import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { describe, expect, it } from "vitest";
import { lineOf } from "../../../drill/stack/event.ts";
import { findPulumi } from "../../../drill/stack/pulumi-command.ts";
import { lastLine } from "../../../drill/stack/tear-down.ts";
import { dayOfDrill, drillName } from "../../../drill/name.ts";

const command = Object.create(PulumiCommand.prototype) as PulumiCommand;
const nowhere = (why: string) => () => Promise.reject(new Error(`${why}\nand more`));

describe("the Pulumi command", () => {
  it("is the one on PATH, and nothing is installed then", async () => {
    expect(await findPulumi({ find: () => Promise.resolve(command), install: nowhere("no network") })).toBe(command);
  });

  it("is installed where PATH has none, or one that is too old", async () => {
    expect(await findPulumi({ find: nowhere("too old"), install: () => Promise.resolve(command) })).toBe(command);
  });

  it("is asked for, with both reasons, where neither works", async () => {
    await expect(findPulumi({ find: nowhere("not on PATH"), install: nowhere("no network") })).rejects.toMatchObject({ kind: "unavailable", what: "the command pulumi is not here (not on PATH), and could not be installed (no network)", todo: expect.stringContaining("https://www.pulumi.com/docs/install") as string });
  });
});

describe("a drill's name", () => {
  it("has the day that it began in it", () => {
    const name = drillName(new Date("2026-11-22T23:59:59Z"));
    expect(name).toMatch(/^dr-drill-20261122-[0-9a-f]{4}$/);
    expect(dayOfDrill(name)).toEqual(new Date("2026-11-22T00:00:00Z"));
  });

  it.each(["primary", "dr-drill-", "dr-drill-20261399", "my-dr-drill-20261122", "dr-drill-20261122-abcd-more"])("is not %s", (name) => {
    expect(dayOfDrill(name)).toBeUndefined();
  });
});

describe("what the engine tells", () => {
  const base = { sequence: 1, timestamp: 1 };
  it("is a line for each change, failure and warning, and nothing for what stays as it is", () => {
    const metadata = { op: "create", type: "kubernetes:batch/v1:Job", urn: "urn:pulumi:s::p::t::dr-recover" };
    const pre = (op: string) => ({ ...base, resourcePreEvent: { metadata: { ...metadata, op } } }) as Parameters<typeof lineOf>[0];
    expect(lineOf(pre("create"))).toBe("create kubernetes:batch/v1:Job dr-recover");
    expect(lineOf(pre("same"))).toBeUndefined();
    expect(lineOf({ ...base, resOpFailedEvent: { metadata } } as Parameters<typeof lineOf>[0])).toBe("failed: create dr-recover");
    expect(lineOf({ ...base, diagnosticEvent: { severity: "error", message: "it is full\n", color: "never" } })).toBe("error: it is full");
    expect(lineOf({ ...base, diagnosticEvent: { severity: "info", message: "hello", color: "never" } })).toBeUndefined();
  });

  it("is its last error where the whole output is quoted", () => {
    expect(lastLine(new Error("code: 255\n stdout: …\n stderr: error: no access\n more\n"))).toBe("stderr: error: no access");
    expect(lastLine(new Error("plain"))).toBe("plain");
  });
});
