/** What a validation found wrong: the first ones in words, all of them as a number. */
export class Findings {
  readonly errors: string[] = [];
  count = 0;
  private readonly wrong = new Set<number>();
  private readonly limit: number;

  constructor(limit = 20) {
    this.limit = limit;
  }

  /** `agent`: who is not valid because of it; `undefined` where it is nobody's. */
  add(agent: number | undefined, error: string): void {
    this.count += 1;
    if (agent !== undefined) this.wrong.add(agent);
    if (this.errors.length < this.limit) this.errors.push(error);
  }

  get wrongAgents(): number {
    return this.wrong.size;
  }
}

/** Where two texts part, with a little around it: what a person needs to see of a changed row. */
export function difference(expected: string, found: string): string {
  let at = 0;
  while (at < expected.length && at < found.length && expected[at] === found[at]) at += 1;
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 10), at + 30));
  return `at character ${at}: ${around(found)} instead of ${around(expected)}`;
}

/** Which state agents must have. */
export type ExpectedState =
  /** Exactly the one that the store's own heartbeat tells: the store was recovered as a whole. */
  | { readonly kind: "as-of-heartbeat" }
  /**
   * Each agent was recovered by itself from a checkpoint: any one state between what PostgreSQL's heartbeat `from`
   * (the last one before the checkpoint began) and `to` (the first one after it had ended) made of it.
   */
  | { readonly kind: "from-checkpoint"; readonly from: number; readonly to: number };

export const asOfHeartbeat: ExpectedState = { kind: "as-of-heartbeat" };
