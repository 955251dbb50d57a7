import { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { CliContext } from "../../cli/context.ts";
import { registerPlan } from "../../cli/commands/plan.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { failureScopes, type Plan } from "../../plan/types.ts";
import { exitCodes } from "../../runner/errors.ts";
import { changed, storeIn } from "../plan/drafts.ts";

interface Outcome {
  readonly human: string;
  readonly data: unknown;
  readonly exitCode: number;
}

function run(plan: Plan): Outcome {
  let outcome: Outcome = { human: "", data: undefined, exitCode: 0 };
  const context: CliContext = {
    print: (human, data) => void (outcome = { ...outcome, human, data }),
    setExitCode: (exitCode) => void (outcome = { ...outcome, exitCode }),
    openRun: () => Promise.reject(new Error("dr plan needs no configuration")),
    atEnd: () => undefined, report: () => undefined,
    signal: new AbortController().signal,
  };
  const program = new Command();
  registerPlan(program, context, plan, { now: () => new Date("2026-11-22T20:00:00Z") });
  program.parse(["plan"], { from: "user" });
  return outcome;
}

describe("dr plan", () => {
  const shipped = run(blackroad);

  it("ends with 0 for the shipped plan", () => {
    expect(shipped.exitCode).toBe(0);
    expect(shipped.human).toContain("Every promise can be kept");
  });

  it("is at most 100 columns wide and plain", () => {
    for (const line of shipped.human.split("\n")) expect(Array.from(line).length, line).toBeLessThanOrEqual(100);
    expect(shipped.human).not.toContain("\u001b");
  });

  it("tells every store, failure, schedule and backend, and every reason", () => {
    const text = shipped.human.replaceAll(/\s+/g, " ");
    for (const { name } of [...blackroad.stores, ...blackroad.schedules, ...blackroad.backends]) expect(text).toContain(name);
    for (const scope of failureScopes) expect(text).toContain(scope);
    for (const { reason } of blackroad.accepted) expect(text).toContain(reason);
    expect(text).toContain("2026-11-23 02:00");
  });

  it("gives the same as data, which survives JSON", () => {
    const data: unknown = JSON.parse(JSON.stringify(shipped.data));
    expect(data).toMatchObject({ plan: "blackroad", kept: true, system: { rpo: 900, rto: 3_600 } });
    expect(data).toHaveProperty("objectives.length", blackroad.stores.length * failureScopes.length);
    for (const part of ["tiers", "copies", "history", "schedule", "cost", "limits", "unsealing", "accepted", "rates"]) expect(data).toHaveProperty(part);
    expect(data).toHaveProperty("schedule.0.next", "2026-11-22T20:15:00.000Z");
  });

  it("ends with 1 and says which promise is not kept", () => {
    const plan = changed((draft) => (draft.accepted = draft.accepted.filter((one) => !(one.store === "redis" && one.scope === "region"))));
    const { exitCode, human, data } = run(plan);
    expect(exitCode).toBe(exitCodes.failed);
    expect(human).toContain("NOT KEPT:\n- redis, region: RPO 1 s, promised 0 s");
    expect(data).toMatchObject({ kept: false });
  });

  it("says by name that Vault stays shut without AWS, and ends with 1 where nobody accepted that by name", () => {
    expect(shipped.human.replaceAll(/\s+/g, " ")).toContain("provider (all of aws): Vault CANNOT be unsealed: awskms alias/blackroad-vault-seal is gone (accepted by name below)");
    const { exitCode, human } = run(changed((draft) => draft.accepted.filter(({ store, scope }) => store === "vault" && scope === "provider").forEach((one) => (one.reason = "AWS is never gone"))));
    expect(exitCode).toBe(exitCodes.failed);
    expect(human).toContain("- vault, provider (all of aws): its snapshots cannot be unsealed without awskms alias/blackroad-vault-seal");
  });

  it("says how far it can grow, and what ends then", () => {
    expect(shipped.human).toMatch(/Room to grow[^]*\d\.\d times +\d{2,3},\d{3}  (deadline|tier|quota|objective) /);
  });

  it("ends with 1 where 3-2-1 is not kept", () => {
    const plan = changed((draft) => (storeIn(draft, "logs").copies = storeIn(draft, "logs").copies.filter((copy) => copy.name !== "r2-logs-ship" && copy.kind !== "replicated-bucket")));
    const { exitCode, human } = run(plan);
    expect(exitCode).toBe(exitCodes.failed);
    expect(human).toContain("- logs: 3-2-1 wants 3 copies: there are 2 (nodes, s3); 1 copy on another continent than north-america");
  });
});
