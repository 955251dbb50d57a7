import { forbiddenActions } from "../../../plan/forbidden-actions.ts";
import { roleForbids } from "../workload-policy.ts";

export const workloadKeepsKeys = roleForbids({
  id: "workload-keeps-keys",
  severity: "critical",
  protects: "A job whose role may delete or disable a key, or write its policy, can make every backup unreadable at once.",
  fix: "Take the action away: workloads encrypt and decrypt, and administer nothing.",
  actions: forbiddenActions.keys,
});
