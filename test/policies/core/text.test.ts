import { describe, expect, it } from "vitest";
import { formatOf } from "../../../policies/core/text.ts";

describe("a configuration file", () => {
  it.each([
    ["patroni-pg-0.yml", 'postgresql:\n  parameters:\n    ssl: "on"\n', { postgresql: { parameters: { ssl: "on" } } }],
    ["pgbackrest.conf", "# said\n[global]\nrepo1-path = /a\ntls-server-auth=a=main\ntls-server-auth=b=main\n\n[main]\npg1-port=5432\n", { global: { "repo1-path": "/a", "tls-server-auth": ["a=main", "b=main"] }, main: { "pg1-port": "5432" } }],
    ["dr.json", '{"readOnly":true}', { readOnly: true }],
    ["policy", '{"Statement":[]}', { Statement: [] }],
  ])("%s is read, and is the same when it was written again", (file, text, value) => {
    const format = formatOf(file);
    expect(format.read(text)).toEqual(value);
    expect(format.read(format.write(value))).toEqual(value);
  });

  it("that is no such file is said to be none", () => {
    expect(() => formatOf("dr.json").read("{")).toThrow();
    expect(() => formatOf("a.yml").read("a: [")).toThrow();
  });
});
