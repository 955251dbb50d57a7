import * as k8s from "@pulumi/kubernetes";
import { describe, expect, it } from "vitest";
import { RegionSecrets, type RegionSecretsArgs } from "../../../components/access/region-secrets.ts";
import { secretFiles } from "../../../components/kubernetes/pod.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { isSecret, read } from "../../harness/outputs.ts";
import { declare } from "../../harness/pulumi.ts";

const secretType = "kubernetes:core/v1:Secret";
const declared = (changes: Partial<RegionSecretsArgs> = {}) =>
  declare(
    () => new RegionSecrets("secrets", { plan: blackroad, region: "eu-west-1", secrets: ["runner", "postgres-backup", "r2-reader"], provider: new k8s.Provider("cluster", { context: "west" }), ...changes }),
    { call: (token, { secretId, region }) => (token.endsWith("getSecretVersion") ? { secretString: `${String(secretId)} in ${String(region)}` } : undefined) },
  );

describe("a region's secrets", () => {
  it("are read by name from the region itself, so that they are there when every other region is gone", async () => {
    const { calls } = await declared();
    expect(calls.map(({ inputs }) => inputs)).toEqual(["runner", "postgres-backup", "r2-reader"].map((name) => ({ secretId: `blackroad/${name}`, region: "eu-west-1" })));
  });

  it("are where pods mount them as files, in the region's cluster", async () => {
    const result = await declared({ namespace: "elsewhere" });
    const mounted = secretFiles(["runner"]).volumes[0]?.secret;
    expect(result.one(secretType, "secrets-runner")).toMatchObject({
      inputs: { metadata: { name: "dr-secret-runner", namespace: "elsewhere" }, type: "Opaque", stringData: { secret: { value: "blackroad/runner in eu-west-1" } } },
      provider: `${result.one("pulumi:providers:kubernetes").urn}::cluster-id`,
    });
    expect(mounted).toMatchObject({ secretName: "dr-secret-runner", items: [{ key: "value" }] });
    expect(result.one(secretType, "secrets-postgres-backup").inputs).toMatchObject({ metadata: { name: "dr-secret-postgres-backup" } });
  });

  it("never change under a pod, but tokens do, whose successor must reach the pods that run", async () => {
    const result = await declared();
    expect(result.one(secretType, "secrets-runner")).toMatchObject({ inputs: { immutable: true }, deleteBeforeReplace: true });
    expect(result.one(secretType, "secrets-r2-reader").inputs["immutable"]).toBe(false);
  });

  it("are secret wherever they are handed on", async () => {
    const result = await declared();
    const value = result.outputs.values.get("runner");
    expect(await isSecret(value)).toBe(true);
    expect(value === undefined ? undefined : await read(value)).toBe("blackroad/runner in eu-west-1");
    expect(JSON.stringify(result.one("blackroad:access:RegionSecrets"))).not.toContain("in eu-west-1");
    expect(result.one("blackroad:access:RegionSecrets").outputs).toEqual({ region: "eu-west-1", namespace: "blackroad-dr", secrets: ["dr-secret-runner", "dr-secret-postgres-backup", "dr-secret-r2-reader"] });
  });

  it("are refused where the plan or the region has none such, all at once", async () => {
    const { outputs } = await declare(() => {
      const provider = new k8s.Provider("cluster", {});
      try {
        return new RegionSecrets("secrets", { plan: blackroad, region: "mars-1", secrets: ["runner", "runner", "password"], namespace: "Not_A_Name", provider });
      } catch (error) {
        return String(error);
      }
    });
    for (const problem of ["region: mars-1 is no region", 'namespace: "Not_A_Name"', "secrets: runner is named twice", 'secrets: the plan has no "password"']) expect(outputs).toContain(problem);
  });
});
