import { realpath, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { binDirectoryOf } from "../../../../runner/stores/postgres/restore.ts";
import { run } from "../../../../runner/system/process.ts";
import { lookUpProgram } from "../../../../runner/system/programs.ts";
import { testContext } from "../../../harness/context.ts";
import { temporaryFolder } from "../../../harness/temporary.ts";

it("is where the server's programs really are, not where a link to one of them lies", async (context) => {
  const server = await lookUpProgram("postgres");
  if (server === undefined) return context.skip("PostgreSQL is not on this machine");
  const folder = await temporaryFolder("bin");
  try {
    await symlink(server, join(folder.path, "postgres"));
    const made = await testContext({ folder: join(folder.path, "run"), config: { postgres: { stanza: "main", host: "/nonexistent", port: 5432, user: "postgres", database: "postgres", binDirectory: folder.path } } });
    const { stdout } = await run(server, ["--version"], { deadline: 20 });
    expect(await binDirectoryOf(made, Number(/\d+/.exec(stdout)?.[0]))).toBe(dirname(await realpath(server)));
  } finally {
    await folder.remove();
  }
});
