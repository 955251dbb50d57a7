import { describe, expect, it } from "vitest";
import { assess } from "../../plan/assess.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { baoHcl } from "../../plan/config/bao.ts";
import { ports } from "../../plan/servers.ts";
import { sealName, unsealingOf } from "../../plan/unseal.ts";
import { changed } from "./drafts.ts";

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

  it("opens after every other failure, as another region has the key", () => {
    expect(sealName(blackroad)).toBe("awskms alias/blackroad-vault-seal");
    const replicas = new Map(unsealingOf(blackroad).map(({ failure, replicas: left }) => [failure.provider ?? failure.scope, left.length]));
    expect(replicas).toEqual(new Map([["process", 3], ["region", 2], ["cloudflare", 3], ["aws", 0], ["github", 3], ["logical", 3], ["attacker", 3]]));
  });

  it("that stays shut is a promise not kept, unless the plan says so by name", () => {
    const shut = (plan: typeof blackroad) => unsealingOf(plan).filter(({ replicas }) => replicas.length === 0).map(({ accepted }) => accepted);
    expect(shut(blackroad)).toEqual([true]);
    expect(shut(changed((draft) => draft.accepted.filter(({ store }) => store === "vault").forEach((one) => (one.reason = "all of AWS is gone"))))).toEqual([false]);
  });
});
