import { describe, expect, it } from "vitest";
import { project, stackOfRole } from "../harness/engine-stacks.ts";
import { useEngine } from "../harness/use-engine.ts";

const oidc = { arn: "arn:aws:iam::111122223333:oidc-provider/oidc.example/id/A", issuer: "https://oidc.example/id/A" };

/** What an operator is told before anything is declared, by the program as the engine runs it. */
describe("a stack that cannot come up", () => {
  const engine = useEngine(project);

  it.each([
    ["a role that there is none of", { role: "tertiary" }, /blackroad-dr:role is "tertiary"; expected one of global, primary, secondary, archive, drill/],
    ["keys that are missing or wrong, all at once", { topology: undefined, lockMode: "FOREVER" }, /has 2 errors:[^]*blackroad-dr:topology[^]*blackroad-dr:lockMode/],
    ["a kube context that is not there", { cluster: { kind: "existing", context: "nowhere", oidc } }, /no context "nowhere"; there are: us-east-1, us-west-2, eu-west-1/],
  ])("is refused for %s", async (what, changes, message) => {
    const stack = await stackOfRole(engine(), "archive", changes);
    await expect(stack.preview(), what).rejects.toThrow(message);
    await stack.remove();
    expect(engine().providers.cloud.all()).toEqual([]);
  });

  it("is refused where its cluster lacks what must be there, with how to get it", async () => {
    const stack = await stackOfRole(engine(), "archive", { cluster: { kind: "existing", context: "eu-west-1", oidc } });
    await engine().providers.lack(["cert-manager.io", "deployments"]);
    await expect(stack.preview()).rejects.toThrow(/what belongs into the cluster eu-west-1[^]*cert-manager signs the servers' certificates[^]*external-dns is missing/);
    await engine().providers.lack([]);
    await expect(stack.preview()).rejects.toThrow(/Secrets Manager Secret/); // of the global stack, which comes up first
    expect(engine().providers.cloud.all()).toEqual([]);
  });
});
