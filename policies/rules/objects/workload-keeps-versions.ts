import { forbiddenActions } from "../../../plan/forbidden-actions.ts";
import { roleForbids } from "../workload-policy.ts";

export const workloadKeepsVersions = roleForbids({
  id: "workload-keeps-versions",
  severity: "critical",
  protects: "A thief of a job's credentials takes away what the job may: older versions, locks, the bucket's own guards.",
  fix: "Take the action away; pgBackRest needs s3:DeleteObject and nothing beyond, and only people who break the glass delete versions.",
  actions: forbiddenActions.objects,
});
