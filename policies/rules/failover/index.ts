import type { Rule } from "../../core/rule.ts";
import { failoverDnsFast } from "./dns-fast.ts";
import { failoverFallback } from "./fallback.ts";
import { failoverMonitorAnswer } from "./monitor-answer.ts";
import { failoverMonitorEncrypted } from "./monitor-encrypted.ts";
import { failoverMonitorInterval } from "./monitor-interval.ts";
import { failoverPoolChecked } from "./pool-checked.ts";
import { failoverPools } from "./pools.ts";
import { failoverSteering } from "./steering.ts";

export const failoverRules: readonly Rule[] = [failoverMonitorInterval, failoverMonitorAnswer, failoverMonitorEncrypted, failoverPoolChecked, failoverPools, failoverFallback, failoverDnsFast, failoverSteering];
