// Where Pulumi starts the pack. It runs every pack under a ts-node of its own, whatever PulumiPolicy.yaml says, and that
// takes no import ending in .ts; what a JavaScript module imports is left to Node, which strips the types itself.
import { enableCompileCache, flushCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// What is compiled is kept for the next run, in a folder that only Pulumi's user can write to; see stacks/index.ts.
enableCompileCache(join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), "compile-cache"));
// Not awaited, as Pulumi does not take a module that is. Written now, as the engine ends the pack without a warning.
import("./index.ts").then(() => flushCompileCache());
