import type { Rule } from "../../core/rule.ts";
import { kmsAliases } from "./kms-aliases.ts";
import { kmsAllForRootOnly } from "./kms-all-for-root-only.ts";
import { kmsDeletionDenied } from "./kms-deletion-denied.ts";
import { kmsDeletionWindow } from "./kms-deletion-window.ts";
import { kmsEnabled } from "./kms-enabled.ts";
import { kmsNoWildcardPrincipal } from "./kms-no-wildcard-principal.ts";
import { kmsReplicas } from "./kms-replicas.ts";
import { kmsRotation } from "./kms-rotation.ts";
import { secretCustomerKey } from "./secret-customer-key.ts";
import { secretInConfig } from "./secret-in-config.ts";
import { secretInEnvironment } from "./secret-in-environment.ts";
import { secretRecoveryWindow } from "./secret-recovery-window.ts";
import { secretReplicated } from "./secret-replicated.ts";
import { workloadKeepsKeys } from "./workload-keeps-keys.ts";
import { workloadKeepsRights } from "./workload-keeps-rights.ts";

export const keysRules: readonly Rule[] = [
  kmsAliases,
  kmsAllForRootOnly,
  kmsDeletionDenied,
  kmsDeletionWindow,
  kmsEnabled,
  kmsNoWildcardPrincipal,
  kmsReplicas,
  kmsRotation,
  secretCustomerKey,
  secretInConfig,
  secretInEnvironment,
  secretRecoveryWindow,
  secretReplicated,
  workloadKeepsKeys,
  workloadKeepsRights,
];
