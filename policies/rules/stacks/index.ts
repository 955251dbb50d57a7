import type { Rule } from "../../core/rule.ts";
import { dataProtected } from "./data-protected.ts";
import { drillIsolation } from "./drill-isolation.ts";
import { lifecycleWindow } from "./lifecycle-window.ts";
import { objectiveAlerts } from "./objective-alerts.ts";
import { readClasses } from "./read-classes.ts";
import { regionsDiffer } from "./regions-differ.ts";
import { rpoKept } from "./rpo-kept.ts";
import { scheduleDeclared } from "./schedule-declared.ts";
import { statefulBelongs } from "./stateful-belongs.ts";
import { threeTwoOne } from "./three-two-one.ts";

export const stacksRules: readonly Rule[] = [threeTwoOne, rpoKept, lifecycleWindow, regionsDiffer, objectiveAlerts, statefulBelongs, scheduleDeclared, drillIsolation, dataProtected, readClasses];
