import { isIP } from "node:net";
import { InvalidArgumentError, type Command } from "commander";
import { exporterPort } from "../../plan/metrics.ts";
import type { CliContext } from "../context.ts";
import { parsePortOrAny } from "../options/port.ts";

function address(text: string): string {
  if (isIP(text) !== 0 || text === "localhost") return text;
  throw new InvalidArgumentError("an IP address is expected, e.g. 0.0.0.0.");
}

/** `dr exporter`: runs until it is stopped. */
export function registerExporter(program: Command, context: CliContext): void {
  program
    .command("exporter")
    .description("serve the metrics of the backups for Prometheus, at /metrics, until it is stopped")
    .option("--address <ip>", "listen there", address, "127.0.0.1")
    .option("--port <n>", "listen at this port", parsePortOrAny, exporterPort)
    .action(async (options: { readonly address: string; readonly port: number }) => {
      const run = await context.openRun();
      const { runExporter } = await import("../../runner/metrics/exporter.ts");
      await runExporter(run, { ...options, onListening: (url) => context.print(`metrics at ${url}/metrics`, { url: `${url}/metrics` }) });
    });
}
