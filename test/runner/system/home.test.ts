import { join } from "node:path";
import { expect, it } from "vitest";
import { accountHome } from "../../../runner/system/home.ts";
import { run } from "../../../runner/system/process.ts";
import { isRoot } from "../../../runner/system/user.ts";

const repository = join(import.meta.dirname, "..", "..", "..");

it("is the account's own, whatever the environment says", () => {
  expect(accountHome()).toMatch(/^\//);
});

it("is not asked of an account that the user database does not have: `dr` runs all the same", async (context) => {
  context.skip(!isRoot(), "only root can be somebody else");
  const user = { name: "4242", uid: 4242, gid: 4242 };
  const { code } = await run("test", ["-r", join(repository, "cli", "dr.ts")], { user, deadline: 10, accept: [0, 1] });
  if (code !== 0) context.skip("other accounts cannot read this checkout");
  const bare = ["--unset=HOME", process.execPath];
  expect((await run("env", [...bare, join(repository, "cli", "dr.ts"), "drill", "list"], { user, deadline: 20 })).stdout).toContain("region-loss");
  const program = `const { accountHome } = await import("${repository}/runner/system/home.ts"); const { findProgram } = await import("${repository}/runner/system/programs.ts"); console.log(accountHome(), await findProgram("bash"));`;
  expect((await run("env", [...bare, "--input-type=module", "--eval", program], { user, deadline: 20 })).stdout).toMatch(/^undefined \/.*bash\n$/);
});
