import { account } from "./aws-place.ts";
import { need, type Asked, type Rule } from "./rules.ts";

const noRole = ({ inputs, cloud }: Asked): string | undefined =>
  cloud.find({ provider: "aws", type: "aws:iam/role:Role", location: "", id: need(inputs, "role") }) === undefined ? `NoSuchEntity: the role ${need(inputs, "role")} cannot be found` : undefined;

/** IAM: names are taken in the whole account. */
export const identityRules: Readonly<Record<string, Rule>> = {
  "aws:iam/role:Role": { id: ({ inputs }) => need(inputs, "name"), taken: "EntityAlreadyExists: a role of that name exists", named: ["name"], replaces: ["name", "path"] },
  "aws:iam/policy:Policy": { id: ({ inputs }) => `arn:aws:iam::${account}:policy/${need(inputs, "name")}`, taken: "EntityAlreadyExists: a policy of that name exists", named: ["name"], replaces: ["name", "path"] },
  "aws:iam/user:User": { id: ({ inputs }) => need(inputs, "name"), taken: "EntityAlreadyExists: a user of that name exists", named: ["name"] },
  "aws:iam/rolePolicy:RolePolicy": { id: ({ inputs }) => `${need(inputs, "role")}:${need(inputs, "name")}`, named: ["name"], prevented: noRole, replaces: ["name", "role"] },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": { id: ({ inputs }) => `${need(inputs, "role")}/${need(inputs, "policyArn")}`, prevented: noRole, replaces: ["role", "policyArn"] },
  "aws:iam/instanceProfile:InstanceProfile": { id: ({ inputs }) => need(inputs, "name"), taken: "EntityAlreadyExists", named: ["name"] },
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
    id: ({ inputs }) => `arn:aws:iam::${account}:oidc-provider/${need(inputs, "url").replace("https://", "")}`,
    taken: "EntityAlreadyExists: a provider of that URL exists",
    replaces: ["url"],
  },
};
