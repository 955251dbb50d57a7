import { expect, it } from "vitest";
import { withNamespaces } from "../../../policies/core/namespaces.ts";
import { unknown } from "../../../policies/core/value.ts";
import { resource } from "../../harness/policies.ts";

const space = (name: unknown, as = "space") => resource("kubernetes:core/v1:Namespace", { metadata: { name } }, { name: as, urn: `urn:${as}` });
const pods = (metadata: unknown, from: readonly string[]) => resource("kubernetes:apps/v1:Deployment", { metadata, spec: {} }, { name: "pods", propertyDependencies: { metadata: from } });
const labels = { app: "x" };
const namespaceOf = (...resources: Parameters<typeof withNamespaces>[0]) => withNamespaces(resources).at(-1)?.props["metadata"];

it("tells a workload's namespace by the one that it is declared in, where the name itself is not known yet", () => {
  expect(namespaceOf(space("dr"), pods({ labels, namespace: unknown }, ["urn:elsewhere", "urn:space"]))).toEqual({ labels, namespace: "dr" });
});

it.each([
  ["it is known", [space("dr"), pods({ namespace: "other" }, ["urn:space"])], { namespace: "other" }],
  ["it is not given", [space("dr"), pods({ labels }, ["urn:space"])], { labels }],
  ["it comes from no namespace", [space("dr"), pods({ namespace: unknown }, ["urn:elsewhere"])], { namespace: unknown }],
  ["it may come from two", [space("dr"), space("two", "second"), pods({ namespace: unknown }, ["urn:space", "urn:second"])], { namespace: unknown }],
  ["the name is to be made up", [space(undefined), pods({ namespace: unknown }, ["urn:space"])], { namespace: unknown }],
  ["nothing of it is known", [space("dr"), pods(unknown, ["urn:space"])], unknown],
] as const)("leaves it as it is where %s", (_, resources, expected) => {
  expect(namespaceOf(...resources)).toEqual(expected);
});
