import { z } from "zod";
import { DrError } from "../errors.ts";
import type { AgentState } from "./schema.ts";

const stateSchema = z.looseObject({ sequence: z.int().min(0), lsn: z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i, "is no LSN") });

/** The text of `agent:ID:state`. Throws a `DrError` that names the field; the caller names the key. */
export function parseAgentState(text: string): AgentState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DrError({ kind: "failed", what: "an agent's working memory is no JSON", where: text.slice(0, 40), todo: "Recover this agent from a checkpoint.", cause });
  }
  const parsed = stateSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the value"}: ${issue.message}`).join("; ");
  throw new DrError({ kind: "failed", what: `an agent's working memory lacks what it must hold: ${problems}`, where: text.slice(0, 40), todo: "Recover this agent from a checkpoint." });
}

/** An LSN as a number that can be compared: `16/B374D848` → 0x16B374D848. */
export function lsnValue(lsn: string): bigint {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(lsn);
  if (match === null) throw new RangeError(`\`${lsn}\` is no LSN, as 16/B374D848 is`);
  return (BigInt(`0x${match[1] ?? "0"}`) << 32n) | BigInt(`0x${match[2] ?? "0"}`);
}
