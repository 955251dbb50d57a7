/** At most this much passes at once, in seconds of the rate: small, so that a limited stream flows evenly. */
const burst = 0.05;

/** What one direction of a relay goes through: a rate, a budget, and a door that can be shut. */
export class Valve {
  #rate: number | undefined;
  /** When what has passed so far will have been paid for, on `performance.now()`'s clock, in ms. */
  #paidUntil = 0;
  #budget: number | undefined;
  #door: { readonly opened: Promise<void>; readonly open: () => void } | undefined;

  constructor(bytesPerSecond: number | undefined) {
    this.#rate = bytesPerSecond;
  }

  setRate(bytesPerSecond: number | undefined): void {
    this.#rate = bytesPerSecond;
    this.#paidUntil = 0;
  }

  setBudget(bytes: number | undefined): void {
    this.#budget = bytes;
  }

  shut(): void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#door ??= { opened: promise.then(() => undefined), open: () => resolve(undefined) };
  }

  open(): void {
    this.#door?.open();
    this.#door = undefined;
  }

  /** Resolves when the bytes may go; `false`: the budget is spent, and the connection is to be cut. */
  async pass(bytes: number): Promise<boolean> {
    if (this.#budget !== undefined) {
      this.#budget -= bytes;
      if (this.#budget < 0) return false;
    }
    await this.#door?.opened;
    const rate = this.#rate;
    if (rate === undefined) return true;
    const now = performance.now();
    this.#paidUntil = Math.max(this.#paidUntil, now) + (bytes / rate) * 1_000;
    const ahead = this.#paidUntil - now - burst * 1_000;
    if (ahead > 1) await new Promise((resolve) => setTimeout(resolve, ahead));
    await this.#door?.opened;
    return true;
  }
}
