/**
 * Seconds that requests have to end by themselves once an upload has failed or was stopped. A request that is cut off
 * may still be carried out, after the upload was withdrawn: "it might be necessary to abort a given multipart upload
 * multiple times" (S3's API reference, AbortMultipartUpload). One that has ended leaves no doubt.
 */
const grace = 5;

/** Stops an upload in two steps: at once no new request is begun, and after a while those on their way are cut off. */
export class Halt {
  /** Rejects as soon as the upload is stopped; nobody has to look. */
  readonly stopped: Promise<never>;
  readonly #outside: AbortSignal | undefined;
  readonly #requests = new AbortController();
  readonly #reject: (reason: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #reason: { readonly error: unknown } | undefined;

  constructor(outside: AbortSignal | undefined) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.stopped = promise;
    this.#reject = reject;
    this.#outside = outside;
    outside?.addEventListener("abort", this.#fromOutside, { once: true });
    if (outside?.aborted === true) this.#fromOutside();
  }

  /** Cuts requests off. */
  get requests(): AbortSignal {
    return this.#requests.signal;
  }

  /** Why it was stopped; the first reason counts. */
  get reason(): { readonly error: unknown } | undefined {
    return this.#reason;
  }

  /** Whether requests were cut off, so that nobody knows which of them were carried out. */
  get wasCutOff(): boolean {
    return this.#requests.signal.aborted;
  }

  stop(error: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = { error };
    this.#reject(error instanceof Error ? error : new Error(String(error)));
    this.#timer = setTimeout(() => this.#requests.abort(error), grace * 1_000);
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#outside?.removeEventListener("abort", this.#fromOutside);
  }

  readonly #fromOutside = (): void => this.stop(this.#outside?.reason);
}
