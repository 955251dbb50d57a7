import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { baoHcl, baoProblems, type BaoArgs } from "../../../plan/config/bao.ts";

const servers = ["vault-0", "vault-1"].map((name) => ({ name, host: `${name}.example` }));
const args: BaoArgs = {
  plan: blackroad,
  flavour: { kind: "openbao" },
  version: "2.4.1",
  region: "us-west-2",
  server: { name: "vault-0", host: "vault-0.example" },
  servers,
  ports: { api: 8200, cluster: 8201 },
  dataDirectory: "/var/lib/vault/raft",
  tls: { certFile: "/tls/tls.crt", keyFile: "/tls/tls.key", caFile: "/tls/ca.crt" },
};
const plugin = { directory: "/usr/lib/openbao/plugins", command: "openbao-plugin-kms-aws", sha256: "ab".repeat(32) };

/** Whole, as it was read by HashiCorp's own parser of HCL: what is mounted is what is looked at here. */
const whole = `cluster_name = "blackroad"
api_addr = "https://vault-0.example:8200"
cluster_addr = "https://vault-0.example:8201"
ui = false
log_format = "json"
listener "tcp" {
  address = "[::]:8200"
  cluster_address = "[::]:8201"
  tls_cert_file = "/tls/tls.crt"
  tls_key_file = "/tls/tls.key"
  tls_min_version = "tls12"
  telemetry {
    unauthenticated_metrics_access = true
  }
}
storage "raft" {
  path = "/var/lib/vault/raft"
  node_id = "vault-0"
  performance_multiplier = 1
  retry_join {
    leader_api_addr = "https://vault-1.example:8200"
    leader_tls_servername = "vault-1.example"
    leader_ca_cert_file = "/tls/ca.crt"
  }
}
seal "awskms" {
  region = "us-west-2"
  kms_key_id = "alias/blackroad-vault-seal"
}
telemetry {
  prometheus_retention_time = "60s"
  disable_hostname = true
}
audit "file" "stdout" {
  description = "Every request and its answer, values hashed"
  options {
    file_path = "stdout"
  }
}
`;

describe("bao.hcl", () => {
  it("seals by the region's replica of the key, joins the other servers and audits every request", () => {
    expect(baoHcl(args)).toBe(whole);
  });

  it("names the seal's plugin where OpenBao has it as one, and reloads certificates", () => {
    const text = baoHcl({ ...args, version: "2.7.0", flavour: { kind: "openbao", plugin } });
    expect(text).toContain(`plugin_directory = "/usr/lib/openbao/plugins"\nplugin "kms" "awskms" {\n  command = "openbao-plugin-kms-aws"\n  sha256sum = "${plugin.sha256}"\n}`);
    expect(text).toContain("tls_auto_reload = true");
  });

  it("is Vault's where it is Vault: mlock off, and audit by its API", () => {
    const text = baoHcl({ ...args, version: "1.20.3", flavour: { kind: "vault" } });
    expect(text).toContain("disable_mlock = true");
    expect(text).not.toMatch(/audit|plugin/);
  });

  it("has no other server to join where there is one alone", () => {
    expect(baoHcl({ ...args, servers: servers.slice(0, 1) })).not.toContain("retry_join");
  });

  it("refuses a version that is none, and what a server would read as an expression", () => {
    expect(baoProblems({ kind: "vault" }, "newest")).toEqual([expect.stringContaining('"newest" is no version')]);
    expect(() => baoHcl({ ...args, version: "2.7.1" })).toThrow(/nothing can be unsealed/);
    expect(() => baoHcl({ ...args, dataDirectory: "/data/${name}" })).toThrow(RangeError);
  });
});
