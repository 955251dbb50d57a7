import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { openHttpServer, type HttpServer } from "../../system/http.ts";
import type { MetricsConfig } from "./config.ts";

export function metricsOf({ config }: RunContext): MetricsConfig {
  if (config.metrics !== undefined) return config.metrics;
  throw new DrError({ kind: "usage", what: "the configuration names no Prometheus", where: "metrics", todo: "Add `metrics` with its url and its dataDirectory." });
}

export const openPrometheus = ({ url, caFile }: Pick<MetricsConfig, "url" | "caFile">): Promise<HttpServer> => openHttpServer({ name: "Prometheus", url, caFile });
