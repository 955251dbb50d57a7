export interface RelayOptions {
  /** `127.0.0.1:PORT` (0: a free one) or the path of a Unix socket. */
  readonly listen: string;
  /** `HOST:PORT` or the path of a Unix socket. */
  readonly to: string;
  /** Of all connections together, per direction. Default: no limit. */
  readonly bytesPerSecond?: number;
}

/** A TCP relay with faults. */
export interface Relay {
  /** 0 for a Unix socket. */
  readonly port: number;
  /** New connections are refused, the present ones are cut. */
  refuse(): Promise<void>;
  /** Listens again on the same port, and lets held connections go on. */
  accept(): Promise<void>;
  /** Connections are taken and held, and nothing moves. */
  hang(): void;
  /** Every connection is cut after this many more bytes towards the server in total; `undefined`: never. */
  cutAfter(bytes: number | undefined): void;
  /** `undefined`: no limit. */
  setRate(bytesPerSecond: number | undefined): void;
  close(): Promise<void>;
}

export async function startRelay(options: RelayOptions): Promise<Relay> {
  return Promise.reject(new Error(`not built yet: ${options.listen}`));
}
