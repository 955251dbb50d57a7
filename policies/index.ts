import { PolicyPack } from "@pulumi/policy";
import { blackroad } from "../plan/blackroad.ts";
import { policiesOf } from "./core/pack.ts";
import { remedies } from "./core/remedies.ts";
import { allRules } from "./rules/all.ts";

/** `pulumi preview --policy-pack policies`. It starts a server as soon as it is made: no test imports this file. */
new PolicyPack("blackroad-dr", { policies: policiesOf({ rules: allRules, plan: blackroad, remedies, now: () => new Date() }) });
