/**
 * `shipper.yaml` of the OpenTelemetry Collector that ships one node's logs to one backend. A collector for each backend:
 * its credentials are its process's, and a backend that is down holds up no other.
 */
import { scheduleOf } from "../find.ts";
import { intervalOf } from "../schedule.ts";
import type { Plan } from "../types.ts";
import { gib, mib, minutes, seconds, type Duration } from "../units.ts";
import { toYaml } from "./yaml.ts";

/** Under the layout's `logs/`: what shippers write there. */
export const shippedPrefix = "logs/lines/";
/** A folder for each minute of shipping, in UTC, so that a listing may begin at a time. */
const partitionFormat = "%Y/%m/%d/%H/%M";

export interface LogShipper {
  readonly plan: Plan;
  /** Stands in the names of what it ships: whose it is. In a pod `${env:NODE_NAME}`. */
  readonly node: string;
  /** Files to follow. Default: every container's of the node. */
  readonly include?: readonly string[];
  /** Of containers (the kubelet's own form, which says pod and container), or lines as they are. Default: containers. */
  readonly format?: "containers" | "lines";
  /** Where it remembers how far it has read and what it has not shipped yet; survives the pod. */
  readonly stateFolder: string;
  readonly store: { readonly endpoint: string; readonly region: string; readonly bucket: string; readonly prefix?: string };
  /** How long lines may wait for more. Default: a tenth of the schedule that looks whether they arrive. */
  readonly flushAfter?: Duration;
}

/** Lines wait no longer than that, and an object grows no larger, before compression. */
const objectSize = { least: mib(8), most: mib(16) } as const;
/** Of unshipped lines on the node's disk, while the backend is away; then reading pauses, and the files wait. */
export const queueSize = gib(2);
/** The kubelet's files, on each node; a pod's own directory is `NAMESPACE_POD_UID`. */
export const nodeLogFolder = "/var/log/pods";
const containerLogs = `${nodeLogFolder}/*/*/*.log`;
/** In a cluster: its pods are called so, with a hyphen and more behind, and labelled so. */
export const shipperName = "log-shipper";
/** Its own lines about a backend that is away would be shipped for ever. */
const ownLogs = `${nodeLogFolder}/*_${shipperName}-*/*/*.log`;

/** Credentials and authorities of the process, as its environment names them: paths, never secrets. */
export const shipperEnvironment = (files: { readonly credentialsFile?: string; readonly caFile?: string }): Readonly<Record<string, string>> => ({
  ...(files.credentialsFile === undefined ? {} : { AWS_SHARED_CREDENTIALS_FILE: files.credentialsFile }),
  ...(files.caFile === undefined ? {} : { AWS_CA_BUNDLE: files.caFile }),
  // Other stores than AWS refuse the checksums that new SDKs add by themselves (facts F14).
  AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
  AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
});

/** @throws RangeError where the plan ships no logs */
export function logShipper({ plan, node, include = [containerLogs], format = "containers", stateFolder, store, flushAfter }: LogShipper): string {
  const wait = flushAfter ?? defaultFlush(plan);
  const { prefix = "" } = store;
  return toYaml({
    extensions: { file_storage: { directory: stateFolder, create_directory: true, fsync: true, compaction: { on_start: true, directory: stateFolder } } },
    receivers: {
      filelog: {
        include,
        ...(format === "containers" ? { exclude: [ownLogs] } : {}),
        start_at: "beginning",
        include_file_path: true,
        storage: "file_storage",
        // Where the queue is full, the reading waits; nothing is dropped.
        retry_on_failure: { enabled: true, max_elapsed_time: "0s" },
        operators: format === "containers" ? [{ type: "container" }] : [],
      },
    },
    exporters: {
      awss3: {
        marshaler: "otlp_json",
        timeout: "0s",
        sending_queue: {
          enabled: true, storage: "file_storage", sizer: "bytes", queue_size: queueSize, num_consumers: 2, block_on_overflow: true,
          batch: { flush_timeout: `${wait}s`, sizer: "bytes", min_size: objectSize.least, max_size: objectSize.most },
        },
        s3uploader: {
          endpoint: `https://${store.endpoint}`, region: store.region, s3_bucket: store.bucket, s3_force_path_style: true,
          s3_prefix: `${prefix === "" ? "" : `${prefix}/`}${shippedPrefix.replace(/\/$/, "")}`, s3_partition_format: partitionFormat, s3_partition_timezone: "UTC",
          file_prefix: `${node}_`, unique_key_func_name: "uuidv7", compression: "gzip",
          // For as long as the backend is away: what it has given up on is gone.
          retry_mode: "standard", retry_max_attempts: 0, retry_max_backoff: "20s",
        },
      },
    },
    service: {
      extensions: ["file_storage"],
      pipelines: { logs: { receivers: ["filelog"], exporters: ["awss3"] } },
      telemetry: { logs: { encoding: "json" }, metrics: { level: "none" } },
    },
  });
}

function defaultFlush(plan: Plan): Duration {
  const schedule = scheduleOf(plan, "logs-ship");
  if (schedule === undefined) throw new RangeError(`the plan ${plan.name} ships no logs`);
  return seconds(Math.max(1, Math.min(minutes(1), Math.floor(intervalOf(schedule) / 10))));
}

