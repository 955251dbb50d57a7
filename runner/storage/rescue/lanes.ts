/** Copies on their way at once: enough to hide the way to another continent, fewer than a client's connections (32). */
const most = 24;
/** Bytes that they may hold together: a big object holds four parts of at least 5 MiB (parts.ts), a small one itself. */
const room = 96 * 1024 ** 2;
const mostHeldByOne = 32 * 1024 ** 2;

/** Runs several pieces of work at once, by their number and by what they hold in memory. */
export class Lanes {
  readonly #running = new Set<Promise<void>>();
  #held = 0;
  #failure: { readonly error: unknown } | undefined;

  /** Resolves when the work has begun. Rejects with what an earlier one threw; nothing is begun then. */
  async begin(bytes: number, work: () => Promise<void>): Promise<void> {
    const held = Math.min(bytes, mostHeldByOne);
    while (this.#running.size > 0 && (this.#running.size >= most || this.#held + held > room)) await Promise.race(this.#running);
    this.#check();
    this.#held += held;
    const running = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#held -= held;
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  /** Waits for all of them. */
  async end(): Promise<void> {
    await Promise.all(this.#running);
    this.#check();
  }

  /** Waits for all of them, and says nothing: something else has failed already. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
