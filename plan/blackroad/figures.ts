import { days, hours, minutes, seconds } from "../units.ts";

/**
 * The requirements' figures that more than one place of the plan needs, each written once. The row it comes from
 * stands behind it.
 */
export const regions = { primary: "us-east-1", secondary: "us-west-2", third: "eu-west-1" } as const;

export const systemRpo = minutes(15); // O1
export const replicationLag = seconds(1); // S2
/** RTO of the tiers; the coldest is what is accepted where a provider is gone. */
export const tierRto = { hot: minutes(5), warm: minutes(30), cold: hours(4) } as const; // O6 O7 O8

export const retention = {
  incremental: hours(24), // S3
  snapshot: days(7), // S4
  full: days(90), // O4 S5
  archive: days(365), // S6
  logs: days(30), // D6
} as const;

export const recoveryWindow = days(7); // R5
/** How long an error or a thief may go unseen and still be undone, hence the locks' length (facts: Object Lock). */
export const timeToNotice = days(7);
/** What a snapshot's `hourly` and `daily` rows are counted in. */
export const hourly = hours(1); // S4
export const daily = days(1); // S5
