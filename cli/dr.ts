#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { accountHome } from "../runner/system/home.ts";

/**
 * Jobs run every few minutes and recovery counts seconds: what was compiled once is not compiled again. Not in /tmp,
 * as is Node's way: whoever makes that folder first could hand root a program of his own. By the user database, as
 * the environment of a drill's processes names no home.
 */
const home = accountHome();
if (home !== undefined) enableCompileCache(join(home, ".cache", "blackroad-dr", "node"));
await import("./main.ts");
