import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { logShipper, shipperEnvironment, shippedPrefix, type LogShipper } from "../../../plan/config/log-shipper.ts";
import { backendOf } from "../../../plan/find.ts";
import { prefixesOf } from "../../../plan/layout.ts";
import { seconds } from "../../../plan/units.ts";

const shipper: LogShipper = { plan: blackroad, node: "${env:NODE_NAME}", stateFolder: "/var/lib/log-shipper/s3", store: { endpoint: "s3.us-west-2.amazonaws.com", region: "us-west-2", bucket: "blackroad-backups-dr" } };
const configOf = (more: Partial<LogShipper> = {}) => load(logShipper({ ...shipper, ...more })) as { receivers: { filelog: Record<string, unknown> }; exporters: { awss3: { s3uploader: Record<string, unknown>; sending_queue: Record<string, unknown> } }; extensions: Record<string, unknown> };

describe("the shipper's configuration", () => {
  it("ships below the layout's prefix, so that ages, locks and grants hold", () => {
    const backend = backendOf(blackroad, "s3");
    const prefix = backend === undefined ? undefined : prefixesOf(blackroad, backend).find(({ schedules }) => schedules.includes("logs-ship") && schedules.length === 1)?.prefix;
    expect(prefix).toBeDefined();
    expect(shippedPrefix.startsWith(prefix ?? "nothing")).toBe(true);
    expect(configOf().exporters.awss3.s3uploader["s3_prefix"]).toBe("logs/lines");
    expect(configOf({ store: { ...shipper.store, prefix: "drill" } }).exporters.awss3.s3uploader["s3_prefix"]).toBe("drill/logs/lines");
  });

  it("ships often enough for the schedule that looks whether lines arrive", () => {
    expect(configOf().exporters.awss3.sending_queue["batch"]).toMatchObject({ flush_timeout: "60s" });
    expect(configOf({ flushAfter: seconds(1) }).exporters.awss3.sending_queue["batch"]).toMatchObject({ flush_timeout: "1s" });
    expect(() => logShipper({ ...shipper, plan: { ...blackroad, schedules: [] } })).toThrow(/ships no logs/);
  });

  it("forgets nothing when it ends, and drops nothing while the backend is away", () => {
    const { receivers, exporters } = configOf();
    expect(receivers.filelog).toMatchObject({ storage: "file_storage", start_at: "beginning", retry_on_failure: { enabled: true, max_elapsed_time: "0s" } });
    expect(exporters.awss3.sending_queue).toMatchObject({ storage: "file_storage", block_on_overflow: true });
    expect(exporters.awss3.s3uploader).toMatchObject({ retry_max_attempts: 0, unique_key_func_name: "uuidv7", s3_partition_timezone: "UTC", compression: "gzip" });
  });

  it("follows every container but its own, and no secret stands in it", () => {
    expect(configOf().receivers.filelog).toMatchObject({ include: ["/var/log/pods/*/*/*.log"], exclude: ["/var/log/pods/*_log-shipper-*/*/*.log"], operators: [{ type: "container" }] });
    expect(configOf({ format: "lines", include: ["/var/log/app.log"] }).receivers.filelog).toMatchObject({ include: ["/var/log/app.log"], operators: [] });
    expect(logShipper(shipper)).not.toMatch(/secret|access_key|password/i);
    expect(shipperEnvironment({ credentialsFile: "/run/c", caFile: "/ca" })).toMatchObject({ AWS_SHARED_CREDENTIALS_FILE: "/run/c", AWS_CA_BUNDLE: "/ca" });
    expect(shipperEnvironment({})).not.toHaveProperty("AWS_SHARED_CREDENTIALS_FILE");
  });
});
