import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../../runner/system/process.ts";
import { lookUpProgram } from "../../runner/system/programs.ts";
import { linesOf } from "./image-files.ts";

const root = resolve(import.meta.dirname, "..", "..");
const home = process.env["HOME"] ?? homedir();
/** Kept between runs: its Debian takes minutes, what of the checkout is in it seconds. */
const tree = join(home, ".cache", "blackroad-dr", "image");
const minute = 60;

export const withoutImage = "needs the image in the cluster of ../shared/cluster: DR_TEST_CLUSTER=1, root, debootstrap and versitygw";

/** Changes with everything that is in the image. */
function digest(): string {
  const hash = createHash("sha256");
  const sources = linesOf(readFileSync(join(root, "image/files"), "utf8")).flatMap((path) => (path.endsWith(".json") ? [path] : globSync(`${path}/**/*.*`, { cwd: root })));
  for (const path of [...sources, "package-lock.json", ...globSync("image/*", { cwd: root })].sort()) hash.update(path).update(readFileSync(join(root, path)));
  return hash.digest("hex").slice(0, 16);
}

/**
 * The image's name in the cluster of ../shared/cluster; `undefined` where none can be had. Its file tree is built by
 * image/tree (minutes the first time) and loaded into the node, unless `DR_TEST_IMAGE` names one that is there.
 */
export async function clusterImage(): Promise<string | undefined> {
  const given = process.env["DR_TEST_IMAGE"];
  if (given !== undefined && given !== "") return given;
  if (process.env["DR_TEST_CLUSTER"] !== "1" || process.getuid?.() !== 0 || (await lookUpProgram("debootstrap")) === undefined) return undefined;
  const name = `local/blackroad-dr:${digest()}`;
  const env = { HOME: home, ...(process.env["DR_TOOLS"] === undefined ? {} : { DR_TOOLS: process.env["DR_TOOLS"] }) };
  await run(join(import.meta.dirname, "load-image"), [name, tree], { deadline: 40 * minute, env });
  return name;
}
