/** What an operation of the engine did, from its log of events. */
export interface Summary {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly replaced: number;
  readonly imported: number;
  /** Read from the provider and not owned: `get` functions of classes. */
  readonly read: number;
  readonly same: number;
  /** Everything but `same` and `read`. */
  readonly changes: number;
  /** Each step that changes something, as the engine calls it. */
  readonly steps: readonly Step[];
  /** What the engine and the program said, but for what is for debugging, where secrets may stand. */
  readonly diagnostics: readonly { readonly severity: string; readonly message: string; readonly urn?: string }[];
  /** What a pack of policies said, one for each finding. */
  readonly policies: readonly PolicyMessage[];
  /** The whole command, with the engine's own start. */
  readonly seconds: number;
}

export interface PolicyMessage {
  readonly policy: string;
  readonly level: string;
  readonly message: string;
  readonly urn?: string;
}

export interface Step {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  /** Which properties made it necessary, where the provider said so. */
  readonly diffs: readonly string[];
}

interface Event {
  readonly policyEvent?: { readonly policyName: string; readonly enforcementLevel: string; readonly message: string; readonly resourceUrn?: string };
  readonly summaryEvent?: { readonly resourceChanges?: Readonly<Record<string, number>> };
  readonly diagnosticEvent?: { readonly severity: string; readonly message: string; readonly urn?: string };
  readonly resourcePreEvent?: { readonly metadata: { readonly op: string; readonly urn: string; readonly type: string; readonly diffs?: readonly string[] | null } };
}

const unchanging = new Set(["same", "read", "refresh"]);

/** Providers that the engine adds for programs which name none; it does not count them either. */
const isEnginesOwn = ({ type, urn }: { readonly type: string; readonly urn: string }): boolean => type.startsWith("pulumi:providers:") && /::default(?:_[\d_]+)?$/.test(urn);

export function summaryOf(log: string, seconds: number): Summary {
  const events = log.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Event);
  const counts = events.findLast((event) => event.summaryEvent !== undefined)?.summaryEvent?.resourceChanges ?? {};
  const of = (...ops: string[]) => ops.reduce((sum, op) => sum + (counts[op] ?? 0), 0);
  const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const read = of("read", "read-replacement", "refresh");
  return {
    created: of("create", "create-replacement"),
    updated: of("update"),
    deleted: of("delete", "delete-replaced"),
    replaced: of("replace"),
    imported: of("import", "import-replacement"),
    read,
    same: of("same"),
    changes: all - of("same") - read,
    steps: events.flatMap(({ resourcePreEvent: step }) => (step === undefined || unchanging.has(step.metadata.op) || isEnginesOwn(step.metadata) ? [] : [{ op: step.metadata.op, urn: step.metadata.urn, type: step.metadata.type, diffs: step.metadata.diffs ?? [] }])),
    diagnostics: events.flatMap(({ diagnosticEvent }) => (diagnosticEvent === undefined || diagnosticEvent.severity === "debug" ? [] : [diagnosticEvent])),
    policies: events.flatMap(({ policyEvent: one }) => (one === undefined ? [] : [{ policy: one.policyName, level: one.enforcementLevel, message: one.message.trim(), ...(one.resourceUrn === undefined ? {} : { urn: one.resourceUrn }) }])),
    seconds,
  };
}
