import { describe, expect, it } from "vitest";
import { assess } from "../../plan/assess.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { baoHcl } from "../../plan/config/bao.ts";
import { ports } from "../../plan/servers.ts";

const server = { name: "vault-0", host: "vault-0.example" };
const tls = { certFile: "/c", keyFile: "/k", caFile: "/ca" };

describe("Vault's seal", () => {
  it("is a key of AWS, so the plan says by name that Vault cannot be unsealed when all of AWS is gone", () => {
    expect(baoHcl({ plan: blackroad, flavour: { kind: "openbao" }, version: "2.4.1", region: "us-west-2", server, servers: [server], ports: ports.vault, dataDirectory: "/raft", tls })).toContain('seal "awskms"');
    const cell = assess(blackroad).cells.find(({ store, scope }) => store === "vault" && scope === "provider");
    for (const { verdict, accepted } of [cell?.rpo, cell?.rto].flatMap((judged) => judged ?? [])) {
      expect(verdict).toBe("accepted");
      expect(accepted?.reason).toMatch(/all of AWS is gone, Vault CANNOT be unsealed: its snapshots in R2 open with the KMS key vault-seal alone/);
    }
  });
});
