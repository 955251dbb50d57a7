import { textTable, wrapText } from "../../drill/report/text-table.ts";
import type { Assessment, Cell, Judgement } from "../../plan/assess.ts";
import type { CopyCount } from "../../plan/copies.ts";
import type { Cost } from "../../plan/cost.ts";
import type { Limit } from "../../plan/growth.ts";
import type { History } from "../../plan/history.ts";
import type { RecoveryTime } from "../../plan/recovery-time.ts";
import type { Acceptance, Plan, Schedule } from "../../plan/types.ts";
import { formatDuration, type Duration } from "../../plan/units.ts";
import { sealName, type Unsealing } from "../../plan/unseal.ts";

/** A schedule with what follows from it. */
export interface PlannedRun {
  readonly schedule: Schedule;
  readonly interval: Duration;
  readonly next: Date;
}

/** All that `dr plan` says. */
export interface PlanReport {
  readonly plan: Plan;
  readonly assessment: Assessment;
  readonly copies: readonly CopyCount[];
  readonly history: readonly History[];
  readonly runs: readonly PlannedRun[];
  readonly cost: Cost;
  readonly limits: readonly Limit[];
  readonly unsealing: readonly Unsealing[];
}

const width = 100;
const right = (title: string) => ({ title, align: "right" as const });
const section = (title: string, lines: readonly string[]): string => [title, "", ...lines].join("\n");

/** The report for people, at most 100 columns wide, without colours: it goes into tickets and logs as it is. */
export function renderPlan(report: PlanReport): string {
  return [
    headline(report),
    section("Objectives: what is lost and how long it takes, at the worst", objectives(report.plan, report.assessment)),
    section("Tiers: the slowest store of each, after the loss of the primary region", tierLines(report.plan, report.assessment)),
    section("Copies: 3 of each store, on 2 media, 1 on another continent", copyLines(report.copies)),
    section("History: how finely one can go back", historyLines(report.history)),
    section("Schedule, in UTC", scheduleLines(report.runs)),
    section(`Cost a month, in USD, at prices of ${report.cost.dated}, with every retention filled up`, costLines(report.cost)),
    section("Room to grow: what ends first when agents and data become more", limitLines(report.plan, report.limits)),
    section("Vault's seal: whether its snapshots can be opened", sealLines(report.plan, report.unsealing)),
    section("Accepted, because it cannot be kept", acceptanceLines(report.plan.accepted)),
    verdictLine(report),
  ].join("\n\n");
}

function headline({ plan, assessment }: PlanReport): string {
  const { rpo, rto, retention } = plan.system;
  return [
    `Plan ${plan.name}: ${plan.agents.toLocaleString("en")} agents, RPO ${formatDuration(rpo)}, RTO ${formatDuration(rto)}, kept ${formatDuration(retention)}, ${plan.regions.length} regions`,
    ...wrapText(`Rates: ${assessment.source}`, width),
  ].join("\n");
}

const spanOf = (span: Duration | undefined): string => (span === undefined ? "no way back" : formatDuration(span));

function objectives(plan: Plan, { cells }: Assessment): string[] {
  const columns = [{ title: "store" }, { title: "failure" }, { title: "recovered from" }, { title: "tier" }, right("loses"), { title: "" }, right("takes"), { title: "" }];
  const rows = plan.stores.flatMap((store) => {
    const own = cells.filter((cell) => cell.store === store.name);
    const labels = [store.name, `RPO ${spanOf(own[0]?.rpo.objective)}`, `RTO ${spanOf(own[0]?.rto.objective)}`, `(${store.category})`];
    return own.map((cell, index) => [labels[index] ?? "", cell.scope, cell.best?.copy ?? "nothing", cell.best?.tier ?? "", spanOf(cell.rpo.predicted), cell.rpo.verdict, spanOf(cell.rto.predicted), cell.rto.verdict]);
  });
  return [...textTable(columns, rows, width), "", ...notes.flatMap((note) => wrapText(note, width))];
}

/** What the table does not count. */
const notes: readonly string[] = [
  "Of a scope with several failures (each provider) the worst is shown; a server is gone with its disk.",
  "logical, attacker: noticed while the finest history lasts; what a later notice costs stands under History. What was written since is not counted.",
  "provider: the data alone. While all of Cloudflare is gone, so is its DNS; names are then moved by hand.",
];

function tierLines(plan: Plan, { tiers }: Assessment): string[] {
  const rows = tiers.map(({ tier, objective, slowest, verdict }) => [
    tier,
    formatDuration(objective),
    spanOf(slowest?.recovery.total),
    verdict,
    slowest === undefined ? "no store is covered" : `${slowest.store} from ${slowest.copy}: ${partsOf(slowest.recovery)}`,
  ]);
  return [...textTable([{ title: "tier" }, right("RTO"), right("takes"), { title: "" }, { title: "of which" }], rows, width), ...tiers.flatMap(({ tier }) => wrapText(`${tier}: ${plan.tiers[tier].means}`, width))];
}

function partsOf({ detect, decide, provision, fetch, replay, validate, switchOver }: RecoveryTime): string {
  const parts = Object.entries({ detect, decide, provision, fetch, replay, validate, "switch over": switchOver });
  return parts.filter(([, span]) => span > 0).map(([name, span]) => `${name} ${formatDuration(span)}`).join(", ");
}

function copyLines(copies: readonly CopyCount[]): string[] {
  const rows = copies.map((count) => [
    count.store,
    `${count.places.length}: ${count.places.map((place) => place.name).join(", ")}`,
    String(count.media.length),
    count.offsite.join(", "),
    count.kept ? "kept" : `not kept: ${count.missing.join("; ")}`,
  ]);
  return textTable([{ title: "store" }, { title: "copies" }, right("media"), { title: "other continent" }, { title: "" }], rows, width);
}

const rhythm = (granularity: Duration): string => (granularity === 0 ? "any moment" : `every ${formatDuration(granularity)}`);

function historyLines(history: readonly History[]): string[] {
  const rows = history.map(({ store, steps }) => [store, steps.map(({ reach, granularity }) => `${rhythm(granularity)} for ${reach === "forever" ? "ever" : formatDuration(reach)}`).join(", then ")]);
  return textTable([{ title: "store" }, { title: "what can be recovered" }], rows, width);
}

function scheduleLines(runs: readonly PlannedRun[]): string[] {
  const rows = runs.map(({ schedule, interval, next }) => [
    schedule.name,
    schedule.cron,
    formatDuration(interval),
    formatDuration(schedule.deadline),
    [schedule.retention === "forever" ? "for ever" : formatDuration(schedule.retention), ...(schedule.keepLonger ?? []).map((step) => `1 per ${formatDuration(step.every)} for ${formatDuration(step.retention)}`)].join(", "),
    next.toISOString().slice(0, 16).replace("T", " "),
  ]);
  return textTable([{ title: "job" }, { title: "cron" }, right("every"), right("deadline"), { title: "kept" }, right("next run")], rows, width);
}

const usd = (amount: number): string => amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function costLines({ lines, usdPerMonth }: Cost): string[] {
  const rows = lines.map((line) => [line.kind, line.where, usd(line.usdPerMonth), line.basis]);
  return textTable([{ title: "for" }, { title: "where" }, right("USD"), { title: "basis" }], [...rows, ["total", "", usd(usdPerMonth), ""]], width);
}

/** Limits that are told: what comes behind them is far away, and all of them are in the data. */
const toldLimits = 8;

function limitLines(plan: Plan, limits: readonly Limit[]): string[] {
  const near = limits.flatMap(({ kind, what, factor }) => (factor === undefined ? [] : [[`${factor.toFixed(1)} times`, Math.floor(plan.agents * factor).toLocaleString("en"), kind, what]]));
  return [...textTable([right("holds to"), right("agents"), { title: "then ends a" }, { title: "" }], near.slice(0, toldLimits), width), ...wrapText("Everything grows alike: agents, their data, its changes and the log; rates, deadlines, quotas and objectives stay.", width)];
}

/** Failures after which the same is true are told in one line. */
function sealLines(plan: Plan, unsealing: readonly Unsealing[]): string[] {
  const groups = Map.groupBy(unsealing, ({ replicas, accepted }) => (replicas.length > 0 ? `opens with ${sealName(plan)} in ${replicas.join(", ")}` : `Vault CANNOT be unsealed: ${sealName(plan)} is gone${accepted ? " (accepted by name below)" : ""}`));
  return [...groups].flatMap(([what, members]) => wrapText(`${members.map(({ failure }) => `${failure.scope} (${failure.lost})`).join(", ")}: ${what}`, width - 2).map((text, index) => (index === 0 ? `- ${text}` : `  ${text}`)));
}

/** Acceptances that share a reason are told once. */
function acceptanceLines(accepted: readonly Acceptance[]): string[] {
  const groups = Map.groupBy(accepted, (one) => `${one.scope} ${one.what.toUpperCase()}, up to ${formatDuration(one.upTo)}: ${one.reason}`);
  const lines = [...groups].map(([label, members]) => `${members.map((one) => one.store).join(", ")}: ${label}`);
  return lines.length === 0 ? ["nothing"] : lines.flatMap((line) => wrapText(line, width - 2).map((text, index) => (index === 0 ? `- ${text}` : `  ${text}`)));
}

const brokenIn = (cell: Cell): readonly (readonly ["RPO" | "RTO", Judgement])[] => ([["RPO", cell.rpo], ["RTO", cell.rto]] as const).filter(([, judgement]) => judgement.verdict === "not met");

function verdictLine({ plan, assessment, copies, unsealing }: PlanReport): string {
  const broken = [
    ...assessment.cells.flatMap((cell) => brokenIn(cell).map(([what, judgement]) => `${cell.store}, ${cell.scope}: ${what} ${spanOf(judgement.predicted)}, promised ${formatDuration(judgement.objective)}`)),
    ...assessment.tiers.filter((tier) => tier.verdict === "not met").map((tier) => `tier ${tier.tier}: takes ${spanOf(tier.slowest?.recovery.total)}, promised ${formatDuration(tier.objective)}`),
    ...copies.filter((count) => !count.kept).map((count) => `${count.store}: 3-2-1 wants ${count.missing.join("; ")}`),
    ...unsealing.filter(({ replicas, accepted }) => replicas.length === 0 && !accepted).map(({ failure }) => `vault, ${failure.scope} (${failure.lost}): its snapshots cannot be unsealed without ${sealName(plan)}, and nobody accepted that by name`),
  ];
  if (broken.length > 0) return ["NOT KEPT:", ...broken.map((line) => `- ${line}`)].join("\n");
  const judgements = assessment.cells.flatMap((cell) => [cell.rpo, cell.rto]);
  const accepted = judgements.filter((judgement) => judgement.verdict === "accepted").length;
  return `Every promise can be kept: ${judgements.length - accepted} objectives are met, ${accepted} are not and were accepted above.`;
}
