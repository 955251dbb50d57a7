import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashMark, isHashMark, secretMark, secretScript, secretsWanted } from "../../../plan/config/secret-template.ts";

const run = promisify(execFile);

describe("a file with its secrets marked", () => {
  let folder: string;
  const secret = async (name: string, value: string) => {
    await mkdir(join(folder, "secrets", name), { recursive: true });
    await writeFile(join(folder, "secrets", name, "value"), value);
  };
  const render = async (text: string) => {
    await writeFile(join(folder, "from", "file"), text);
    await run("sh", [join(folder, "script.sh"), join(folder, "secrets"), join(folder, "from"), join(folder, "to"), "file"]);
    return readFile(join(folder, "to", "file"), "utf8");
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "secret-template-"));
    for (const name of ["from", "to"]) await mkdir(join(folder, name));
    await writeFile(join(folder, "script.sh"), secretScript);
    await secret("one", "Value-1/+=\n");
    await secret("two", "other");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("gets the values and the hashes where the marks are, and nothing else is touched", async () => {
    const text = `plain \\n "quoted" $HOME \`x\` 50%\n\n  a ${secretMark("one")} b ${secretMark("two")}${hashMark("two")}\nmail@example.org\nno end`;
    const sum = createHash("sha256").update("other").digest("hex");
    expect(await render(text)).toBe(`plain \\n "quoted" $HOME \`x\` 50%\n\n  a Value-1/+= b other${sum}\nmail@example.org\nno end\n`);
    expect((await stat(join(folder, "to", "file"))).mode & 0o777).toBe(0o600);
  });

  it("is not written with a secret that is missing, empty, or could mean something to the format", async () => {
    await expect(render(secretMark("absent"))).rejects.toThrow(/absent/);
    for (const value of ["", "two words", 'quo"te', "line\nline", "a@secret:one@", "back\\slash", "dollar$"]) {
      await secret("bad", value);
      await expect(render(`x ${secretMark("bad")}`), JSON.stringify(value)).rejects.toThrow(/the secret bad is empty, or holds other characters/);
    }
  });

  it("gets one value out of credentials that have several, and not a half of them", async () => {
    await secret("store", "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key=abc/DEF+1\n");
    expect(await render(`key=${secretMark("store", "aws_access_key_id")}\nsecret=${secretMark("store", "aws_secret_access_key")}`)).toBe("key=AKIAEXAMPLE\nsecret=abc/DEF+1\n");
    expect(secretsWanted([secretMark("store", "aws_access_key_id")])).toEqual(["store"]);
    await secret("store", "[default]\naws_access_key_id = AKIAEXAMPLE\n");
    await expect(render(secretMark("store", "aws_secret_access_key"))).rejects.toThrow(/store\/aws_secret_access_key is empty/);
  });

  it("says which secrets it wants", () => {
    expect(secretsWanted([`${secretMark("b")} ${hashMark("a")}`, secretMark("b"), "c@d"])).toEqual(["a", "b"]);
    expect([hashMark("a"), secretMark("a"), ` ${hashMark("a")}`].map(isHashMark)).toEqual([true, false, false]);
  });
});
