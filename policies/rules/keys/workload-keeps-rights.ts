import { forbiddenActions } from "../../../plan/forbidden-actions.ts";
import { roleForbids } from "../workload-policy.ts";

export const workloadKeepsRights = roleForbids({
  id: "workload-keeps-rights",
  severity: "critical",
  protects: "A job that may write roles, or hand one to what it starts, allows itself whatever it was refused: every other limit of it is on paper.",
  fix: "Take the action away: roles are made by `pulumi up`, and a workload takes its own by its token alone.",
  actions: forbiddenActions.rights,
});
