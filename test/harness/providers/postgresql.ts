import { need, ruled, type Asked, type Rule } from "./rules.ts";
import { text, type Properties } from "./wire.ts";
import type { Place } from "./behaviour.ts";

const word = (inputs: Properties, key: string): string => text(inputs, key) ?? "";
const roleThere = ({ inputs, cloud, location }: Asked, key: string): string | undefined => {
  const role = need(inputs, key);
  const builtIn = role === "postgres" || role === "public" || role.startsWith("pg_");
  return builtIn || cloud.find({ provider: "postgresql", type: "postgresql:index/role:Role", location, id: role }) !== undefined ? undefined : `pq: role "${role}" does not exist`;
};

const rules: Readonly<Record<string, Rule>> = {
  // Roles that Patroni makes at its bootstrap exist before anything of Pulumi does: they are taken over.
  "postgresql:index/role:Role": { id: ({ inputs }) => need(inputs, "name"), named: ["name"] },
  "postgresql:index/database:Database": { id: ({ inputs }) => need(inputs, "name"), taken: "pq: the database exists", named: ["name"], replaces: ["encoding", "lcCollate", "lcCtype", "template"] },
  "postgresql:index/schema:Schema": { id: ({ inputs }) => `${word(inputs, "database")}.${need(inputs, "name")}`, named: ["name"], replaces: ["database"] },
  "postgresql:index/extension:Extension": { id: ({ inputs }) => `${word(inputs, "database")}.${need(inputs, "name")}`, replaces: ["name", "database"] },
  "postgresql:index/grant:Grant": {
    id: ({ inputs }) => [need(inputs, "role"), need(inputs, "database"), word(inputs, "schema"), need(inputs, "objectType"), JSON.stringify(inputs["objects"] ?? [])].join("_"),
    prevented: (asked) => roleThere(asked, "role"),
    replaces: ["role", "database", "schema", "objectType", "objects"],
  },
  "postgresql:index/grantRole:GrantRole": { id: ({ inputs }) => `${need(inputs, "role")}_${need(inputs, "grantRole")}`, prevented: (asked) => roleThere(asked, "role") ?? roleThere(asked, "grantRole"), replaces: ["role", "grantRole", "withAdminOption"] },
  "postgresql:index/defaultPrivileges:DefaultPrivileges": { id: ({ inputs }) => [need(inputs, "role"), need(inputs, "database"), word(inputs, "schema"), need(inputs, "owner"), need(inputs, "objectType")].join("_"), prevented: (asked) => roleThere(asked, "role"), replaces: ["role", "database", "schema", "owner", "objectType"] },
};

const server = (place: Place): string => `${text(place.config, "host") ?? "localhost"}:${JSON.stringify(place.config["port"] ?? 5432)}`;

export const postgresql = ruled({
  provider: "postgresql",
  rules,
  functions: {},
  location: (_type, _inputs, place) => server(place),
  resolved: (_type, id, place) => ({ id, location: server(place) }),
});
