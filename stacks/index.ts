import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Before anything else is loaded: what Node has compiled, and taken the types from, is kept for the next run. It lies in
// Pulumi's own folder, because whoever could write to it could have a run execute what they like.
enableCompileCache(join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), "compile-cache"));

/** What `pulumi up` runs. */
export default async function stack(): Promise<Record<string, unknown>> {
  return (await import("./main.ts")).main();
}
