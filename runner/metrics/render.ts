import { Counter, Gauge, Histogram, Registry, type HistogramConfiguration } from "prom-client";
import { allMetrics, type Metric } from "../../plan/metrics.ts";
import type { HistogramSample, Page } from "./samples.ts";

export const contentType = Registry.PROMETHEUS_CONTENT_TYPE;

type MetricOfHistogram = Awaited<ReturnType<Histogram["get"]>>;

/** A histogram whose counts come from records, not from observations: those were made before this process began. */
class RecordedHistogram extends Histogram {
  readonly #series: readonly HistogramSample[];
  readonly #bounds: readonly number[];
  /** Knows what a histogram is described by. */
  readonly #empty: Histogram;

  constructor(configuration: HistogramConfiguration<string>, series: readonly HistogramSample[]) {
    super(configuration);
    this.#series = series;
    this.#bounds = configuration.buckets ?? [];
    this.#empty = new Histogram({ ...configuration, registers: [] });
  }

  override async get(): Promise<MetricOfHistogram> {
    const description = await this.#empty.get();
    const { name } = description;
    const values = this.#series.flatMap(({ labels, count, sum, within }) => [
      ...this.#bounds.map((bound, index) => ({ metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: within[index] ?? 0 })),
      { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: count },
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ]);
    return { ...description, values };
  }

  /** What the registry asks instead of `get`, where it is there. */
  getForPromString(): Promise<MetricOfHistogram> {
    return this.get();
  }
}

/** The page in Prometheus' text format. A metric without a value is left out, help and all. */
export async function renderPage(page: Page): Promise<string> {
  const registry = new Registry();
  for (const metric of allMetrics) register(registry, metric, page);
  return registry.metrics();
}

function register(registry: Registry, metric: Metric, { samples, histograms }: Page): void {
  const { name, help } = metric;
  const configuration = { name, help, labelNames: [...metric.labels], registers: [registry] };
  const mine = samples.filter((sample) => sample.metric.name === name);
  switch (metric.type) {
    case "counter": {
      if (mine.length === 0) return;
      const counter = new Counter(configuration);
      for (const { labels, value } of mine) counter.inc(labels, value);
      return;
    }
    case "gauge": {
      if (mine.length === 0) return;
      const gauge = new Gauge(configuration);
      for (const { labels, value } of mine) gauge.set(labels, value);
      return;
    }
    case "histogram": {
      const series = histograms.filter((sample) => sample.metric.name === name);
      if (series.length > 0) new RecordedHistogram({ ...configuration, buckets: [...metric.buckets] }, series);
    }
  }
}
