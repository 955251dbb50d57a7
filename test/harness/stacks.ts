import { join, relative } from "node:path";
import { keyResources } from "../../components/keys/key-resources.ts";
import type { StackRole } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { readConfiguration } from "../../stacks/configuration/read.ts";
import { programOf, type StackOutputs } from "../../stacks/program.ts";
import { declare, type Declaration, type DeclareOptions } from "./pulumi.ts";
import { exampleChanges } from "./example-changes.ts";
import { exampleConfig } from "./stack-examples.ts";

/** Names a context for each serving region; no server is behind them. Relative, as the path comes to stand in what is registered. */
const kubeconfig = relative(process.cwd(), join(import.meta.dirname, "kubeconfig.yaml"));

/** What the providers' functions answer in an account in which nothing exists yet; `undefined`: the usual. */
export function answerOf(token: string, inputs: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  switch (token) {
    case "aws:secretsmanager/getSecrets:getSecrets":
      return { arns: [], names: [] };
    case "aws:secretsmanager/getSecretVersion:getSecretVersion":
      return { secretString: `value of ${String(inputs["secretId"])}` };
    case "cloudflare:index/getAccountApiTokenPermissionGroupsList:getAccountApiTokenPermissionGroupsList":
      return { results: ["Workers R2 Storage Bucket Item Write", "Workers R2 Storage Bucket Item Read"].map((name, index) => ({ id: `group-${index + 1}`, name, scopes: [] })) };
    default:
      return undefined;
  }
}

/** The stack came up before: nothing is looked for that a lost state would have left behind. */
function remembered(plan: Plan): Record<string, unknown> {
  const keys = plan.keys.flatMap((key) => plan.regions.flatMap(({ name }) => Object.values(keyResources(plan, key, name))));
  const held = [...keys, { type: "cloudflare:index/r2Bucket:R2Bucket", name: "r2-bucket" }];
  return { outputs: Object.fromEntries(held.map(({ type, name }) => [`urn:pulumi:global::blackroad-dr::${type}::${name}`, { type, outputs: {} }])) };
}

/** What a stack registers as its shipped example configures it, with `changes` to single keys. */
export async function declareStack(plan: Plan, role: StackRole, changes: Readonly<Record<string, unknown>> = {}, options: DeclareOptions = {}): Promise<Declaration<StackOutputs>> {
  const call: NonNullable<DeclareOptions["call"]> = (token, inputs) => (token === "pulumi:pulumi:readStackResourceOutputs" ? remembered(plan) : (options.call ?? answerOf)(token, inputs));
  const raw = exampleConfig(role, { ...exampleChanges[role], ...changes });
  const before = process.env["KUBECONFIG"];
  process.env["KUBECONFIG"] = kubeconfig;
  try {
    return await declare(() => programOf(plan, readConfiguration(role, raw), { clusterApi: () => () => Promise.resolve({}) }), { stack: role, ...options, call });
  } finally {
    if (before === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = before;
  }
}
