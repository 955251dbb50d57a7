#!/usr/bin/env node
import { enableCompileCache } from "node:module";

/** Jobs run every few minutes and recovery counts seconds: what was compiled once is not compiled again. */
enableCompileCache();
await import("./main.ts");
