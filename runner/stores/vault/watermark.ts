import type { Watermark } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { healthOf, openVault, vaultServerOf } from "./connection.ts";

export interface VaultWatermark extends Watermark {
  readonly state: "active" | "standby" | "sealed" | "not initialised";
  readonly version: string;
}

/** How far the data of the running server reaches: its own time. Needs no login. */
export async function vaultWatermark(context: RunContext): Promise<VaultWatermark> {
  const link = await openVault(vaultServerOf(context));
  try {
    const { time, state, version } = await healthOf(link, context.signal);
    return { time: time.toISOString(), state, version };
  } finally {
    await link.close();
  }
}
