import { keyAlias } from "../../../plan/names.ts";
import type { StackRule } from "../../core/rule.ts";
import { aliasType } from "./key-types.ts";

export const kmsAliases: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "kms-aliases",
  severity: "high",
  enforcement: "mandatory",
  protects: "A recovery region finds the keys by their aliases, without asking a state that may be lost; one that is missing is found out in the disaster.",
  fix: "Declare the alias, under the same name, in every region of the plan.",
  breaks: { region: "ap-south-1" },
  selects: ["name"],
  judge(resources, verdict) {
    const { plan } = verdict;
    const aliases = resources.filter(({ facts }) => facts.type === aliasType).map((alias) => ({ alias, name: alias.read("name") }));
    for (const key of plan.keys) {
      const own = aliases.filter(({ name }) => name.state === "known" && name.value === keyAlias(plan, key)).map(({ alias }) => ({ alias, region: alias.read("region") }));
      const [first] = own;
      if (first === undefined) continue; // of another stack
      const missing = plan.regions.filter((region) => !own.some((one) => one.region.state === "known" && one.region.value === region.name)).map(({ name }) => name);
      if (missing.length === 0) continue;
      const anywhere = own.find(({ region }) => region.state === "unknown");
      const anything = aliases.find(({ name }) => name.state === "unknown");
      if (anywhere !== undefined) verdict.unjudged(anywhere.alias, "region");
      else if (anything !== undefined) verdict.unjudged(anything.alias, "name");
      else verdict.violation(first.alias, "", `is not in ${missing.join(", ")}`);
    }
  },
};
