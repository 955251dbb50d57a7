import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readPackConfig, readSettings, settingsProperties } from "../../../policies/core/settings.ts";
import { allRules } from "../../../policies/rules/all.ts";

const rules = ["s3-versioning", "s3-logging"];
const waiver = { rule: "s3-versioning", resource: "primary/backups", reason: "moves out next month", expires: "2026-12-31" };

describe("the settings of the policies", () => {
  it("are production without a waiver where nothing is said", () => {
    expect(readSettings({}, rules)).toEqual({ ok: true, value: { production: true, waivers: [], enforcement: {} } });
  });

  it("are read from the file that the engine reads", () => {
    expect(readSettings({ all: "mandatory", "s3-logging": { enforcementLevel: "disabled" }, settings: { production: false, waivers: [waiver] } }, rules)).toEqual({
      ok: true,
      value: { production: false, waivers: [waiver], enforcement: { all: "mandatory", "s3-logging": "disabled" } },
    });
  });

  it.each([
    ["a rule that there is not", { "s3-loging": "advisory" }, /s3-loging: there is no such rule/],
    ["a strictness that there is not", { "s3-logging": "sometimes" }, /^s3-logging: /],
    ["a key that there is not", { settings: { prodcution: true } }, /prodcution/],
    ["a waiver without a reason", { settings: { waivers: [{ ...waiver, reason: "" }] } }, /settings\.waivers\.0\.reason/],
    ["a waiver without an end", { settings: { waivers: [{ ...waiver, expires: undefined }] } }, /settings\.waivers\.0\.expires/],
    ["a day that there is not", { settings: { waivers: [{ ...waiver, expires: "2026-02-30" }] } }, /settings\.waivers\.0\.expires: is no day/],
    ["a resource without its stack", { settings: { waivers: [{ ...waiver, resource: "backups" }] } }, /settings\.waivers\.0\.resource/],
    ["a pattern of resources", { settings: { waivers: [{ ...waiver, resource: "primary/*" }] } }, /settings\.waivers\.0\.resource/],
    ["every stack's", { settings: { waivers: [{ ...waiver, resource: "*/backups" }] } }, /settings\.waivers\.0\.resource/],
    ["a reason that is none", { settings: { waivers: [{ ...waiver, reason: "          " }] } }, /settings\.waivers\.0\.reason/],
    ["no object at all", [], /object|record/],
  ])("refuse %s", (_, raw, problem) => {
    const read = readSettings(raw, rules);
    expect(read.ok ? [] : read.problems.join("\n")).toMatch(problem);
  });

  it("are as README.md shows them", () => {
    const shown = /### The policies[\s\S]*?```json\n([\s\S]*?)```/.exec(readFileSync(resolve(import.meta.dirname, "../../../README.md"), "utf8"))?.[1];
    expect(readSettings(JSON.parse(shown ?? ""), allRules.map(({ id }) => id))).toMatchObject({ ok: true, value: { waivers: [{ rule: "cron-suspended" }] } });
  });

  it("tell every problem at once", () => {
    const read = readSettings({ "s3-loging": "advisory", settings: { production: "yes", waivers: [{ ...waiver, expires: "soon" }] } }, rules);
    expect(read).toMatchObject({ ok: false, problems: { length: 4 } });
  });

  it("have a JSON schema by which the engine refuses the same", () => {
    expect(settingsProperties).toMatchObject({
      production: { type: "boolean", default: true },
      waivers: { type: "array", items: { required: ["rule", "resource", "reason", "expires"], additionalProperties: false, properties: { expires: { pattern: expect.any(String) as unknown } } } },
    });
    expect(readPackConfig({ production: false })).toEqual({ ok: true, value: { production: false, waivers: [] } });
  });
});
