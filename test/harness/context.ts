import { join } from "node:path";
import { blackroad } from "../../plan/blackroad.ts";
import type { Plan } from "../../plan/types.ts";
import { Catalog } from "../../runner/catalog/catalog.ts";
import { parseConfig, readSecret, type RunnerConfig } from "../../runner/config.ts";
import type { Progress, RunContext } from "../../runner/context.ts";
import { openBackends } from "../../runner/storage/open.ts";
import type { StorageBackend } from "../../runner/storage/backend.ts";
import { systemClock, type Clock } from "../../runner/system/clock.ts";
import { makeFolder, writeDurably } from "../../runner/system/files.ts";

export interface TestContextOptions {
  /** Everything of the run; made where it is missing. */
  readonly folder: string;
  /** Of the configuration, besides what the harness fills in. Default backends: the folders `r2` and `s3`. */
  readonly config?: Partial<Pick<RunnerConfig, "backends" | "redis" | "postgres" | "metrics" | "configuration" | "archive" | "objects" | "vault" | "vectors" | "recover" | "readOnly">>;
  readonly plan?: Plan;
  readonly clock?: Clock;
  readonly passphrase?: string;
  /** What stands between a run and its backends: a test that breaks one. */
  readonly wrap?: (backend: StorageBackend) => StorageBackend;
  readonly signal?: AbortSignal;
}

export interface TestContext extends RunContext {
  readonly reports: Progress[];
  close(): void;
}

/** A run over real backends; two folders unless the test names others. */
export async function testContext(options: TestContextOptions): Promise<TestContext> {
  const { folder, plan = blackroad, clock = systemClock, passphrase = "correct horse battery staple" } = options;
  await makeFolder(folder, { mode: 0o755 });
  const passphraseFile = join(folder, "passphrase");
  await writeDurably(passphraseFile, `${passphrase}\n`, { mode: 0o600 });
  const folders = await Promise.all(["r2", "s3"].map(async (name) => ({ kind: "folder" as const, name, path: await makeFolder(join(folder, name)) })));
  const config = parseConfig({ workDirectory: await makeFolder(join(folder, "work")), passphraseFile, backends: folders, ...options.config }, "test");
  const opened = await openBackends(config);
  const backends = options.wrap === undefined ? opened : opened.map(options.wrap);
  const reports: Progress[] = [];
  return {
    config, plan, backends, clock,
    catalog: new Catalog(backends, clock, { readOnly: config.readOnly }),
    passphrase: () => readSecret(passphraseFile, "the passphrase"),
    signal: options.signal ?? new AbortController().signal,
    report: (progress) => void reports.push(progress),
    reports,
    close: () => backends.forEach((backend) => backend.close()),
  };
}
