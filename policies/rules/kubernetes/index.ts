import type { Rule } from "../../core/rule.ts";
import { cronBackOff } from "./cron-back-off.ts";
import { cronDeadline } from "./cron-deadline.ts";
import { cronName } from "./cron-name.ts";
import { cronOverlap } from "./cron-overlap.ts";
import { cronStartingDeadline } from "./cron-starting-deadline.ts";
import { cronSuspended } from "./cron-suspended.ts";
import { cronTimeZone } from "./cron-time-zone.ts";
import { databaseApart } from "./database-apart.ts";
import { databaseBudget } from "./database-budget.ts";
import { egressAllowList } from "./egress-allow-list.ts";
import { imageDigest } from "./image-digest.ts";
import { networkPolicy } from "./network-policy.ts";
import { podCapabilities } from "./pod-capabilities.ts";
import { podEscalation } from "./pod-escalation.ts";
import { podHost } from "./pod-host.ts";
import { podKernel } from "./pod-kernel.ts";
import { podNonRoot } from "./pod-non-root.ts";
import { podReadOnlyRoot } from "./pod-read-only-root.ts";
import { podSeccomp } from "./pod-seccomp.ts";
import { rbacWildcards } from "./rbac-wildcards.ts";
import { roleTrust } from "./role-trust.ts";
import { secretFiles } from "./secret-files.ts";
import { serviceAccountRole } from "./service-account-role.ts";
import { serviceAccountToken } from "./service-account-token.ts";

export const kubernetesRules: readonly Rule[] = [
  cronBackOff, cronDeadline, cronName, cronOverlap, cronStartingDeadline, cronSuspended, cronTimeZone,
  databaseApart, databaseBudget, egressAllowList, imageDigest, networkPolicy,
  podCapabilities, podEscalation, podHost, podKernel, podNonRoot, podReadOnlyRoot, podSeccomp,
  rbacWildcards, roleTrust, secretFiles, serviceAccountRole, serviceAccountToken,
];
