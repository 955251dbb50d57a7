import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";

export type DrillStackPhase = "prepare" | "up" | "wait" | "destroy" | "remove" | "sweep";

/** What a drill stack tells while it comes up and goes down. */
export interface DrillStackEvent {
  readonly phase: DrillStackPhase;
  readonly stack: string;
  /** One line, e.g. `create kubernetes:batch/v1:Job dr-recover`; never a secret. */
  readonly message: string;
}

export type Tell = (phase: DrillStackPhase, message: string) => void;

/** The engine's event in a line; `undefined` for what says nothing new. */
export function lineOf({ resourcePreEvent, resOpFailedEvent, diagnosticEvent }: EngineEvent): string | undefined {
  if (resourcePreEvent !== undefined) {
    const { op, type, urn } = resourcePreEvent.metadata;
    return op === "same" ? undefined : `${op} ${type} ${urn.split("::").at(-1) ?? urn}`;
  }
  if (resOpFailedEvent !== undefined) return `failed: ${resOpFailedEvent.metadata.op} ${resOpFailedEvent.metadata.urn.split("::").at(-1) ?? ""}`;
  if (diagnosticEvent?.severity === "error" || diagnosticEvent?.severity === "warning") return `${diagnosticEvent.severity}: ${diagnosticEvent.message.trim()}`;
  return undefined;
}
