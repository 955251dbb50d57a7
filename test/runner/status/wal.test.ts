import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { newestWal } from "../../../runner/status/wal.ts";
import { testContext, type TestContext } from "../../harness/context.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let context: TestContext;
beforeEach(async () => {
  folder = await temporaryFolder("wal");
  context = await testContext({ folder: join(folder.path, "run") });
});
afterEach(async () => {
  context.close();
  await folder.remove();
});

const sha1 = "0123456789abcdef0123456789abcdef01234567";
const put = (database: string, segment: string, end = `-${sha1}.zst`) => context.backends[0]?.put(`pgbackrest/archive/main/${database}/${segment.slice(0, 16)}/${segment}${end}`, Buffer.from("x"));

async function newest() {
  const [backend] = context.backends;
  const [config] = context.config.backends;
  if (backend === undefined || config === undefined) throw new RangeError("the test has backends");
  return newestWal(backend, { ...config, pgbackrest: { path: "/pgbackrest", cipherPassFile: "/nonexistent" } }, "main");
}

it("finds the newest segment by its name, across log files and timelines", async () => {
  for (const segment of ["000000020000000100000000", "0000000100000000000000FF", "000000010000000000000001"]) await put("15-1", segment);
  expect(await newest()).toMatchObject({ backend: "r2", newest: { segment: "000000020000000100000000" } });
});

it("takes the database's newest number first, as names begin anew after an upgrade", async () => {
  await put("15-1", "000000050000000A00000000");
  await put("17-2", "000000010000000000000003");
  expect((await newest()).newest?.segment).toBe("000000010000000000000003");
});

it("passes over partial segments, backup labels and histories, which hold no WAL to its end", async () => {
  await put("15-1", "000000010000000000000001");
  await put("15-1", "000000010000000000000002", `.partial-${sha1}.zst`);
  await put("15-1", "000000010000000000000003", `.00000028.backup`);
  await context.backends[0]?.put("pgbackrest/archive/main/15-1/00000002.history", Buffer.from("x"));
  expect((await newest()).newest?.segment).toBe("000000010000000000000001");
});

it("says that there is none, and why it cannot be seen", async () => {
  expect(await newest()).toEqual({ backend: "r2" });
  await folder.remove();
  expect((await newest()).error).toContain("does not exist");
});
