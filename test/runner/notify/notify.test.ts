import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { overdueAfter } from "../../../plan/overdue.ts";
import { jobOf, severityOf, type Job } from "../../../runner/notify/job.ts";
import { notificationsConfigSchema } from "../../../runner/notify/config.ts";
import { alertOf, webhookBody, type Notice } from "../../../runner/notify/notice.ts";

const job = (words: string): Job => {
  const found = jobOf(blackroad, words.split(" "));
  if (found === undefined) throw new RangeError(words);
  return found;
};
const at = new Date("2026-11-22T02:30:00.000Z");
const notice = (status: Notice["status"], words = "backup all"): Notice => ({ status, job: job(words), command: `dr ${words}`, startedAt: new Date("2026-11-22T02:00:00.000Z"), finishedAt: at, what: "it went as it went", ...(status === "recovered" ? { makesGood: { backup: "ID", startedAt: "2026-11-21T02:00:00.000Z" } } : {}) });

describe("what is told of a job", () => {
  it.each(blackroad.schedules.filter(({ command }) => command[0] === "backup").map(({ name, command }) => [command.join(" "), name]))("dr %s is %s", (words, name) => {
    expect(job(words).schedule.name).toBe(name);
  });

  it("a part of the daily run counts as it, and what is no backup is none of it", () => {
    expect(job("backup postgres full").schedule.name).toBe("postgres-full");
    expect(job("backup all").leaves).toEqual({ store: "system", kind: "recovery-point" });
    for (const words of [["recover", "redis"], ["verify"], ["backup", "nothing"], []]) expect(jobOf(blackroad, words)).toBeUndefined();
  });

  it("the daily full backup is critical (S5), any other a warning", () => {
    expect(severityOf(blackroad, job("backup all"))).toBe("critical");
    expect(severityOf(blackroad, job("backup redis snapshot"))).toBe("warning");
  });

  it("an alert and its end have the same labels, or Alertmanager would know two", () => {
    const failed = alertOf(blackroad, notice("failed"), { region: "us-east-1" });
    const recovered = alertOf(blackroad, notice("recovered"), { region: "us-east-1" });
    expect(recovered.labels).toEqual(failed.labels);
    expect(failed.labels).toEqual({ alertname: "BackupJobFailed", type: "postgres-full", plan: "blackroad", severity: "critical", region: "us-east-1" });
    expect(recovered.endsAt).toBe(at.toISOString());
    expect((Date.parse(failed.endsAt) - at.getTime()) / 1_000).toBe(overdueAfter(blackroad, job("backup all").schedule));
    expect(Date.parse(recovered.startsAt)).toBeLessThan(Date.parse(recovered.endsAt));
  });

  it("a webhook is told in words and in figures", () => {
    expect(webhookBody(blackroad, notice("partial", "backup redis snapshot"), {})).toMatchObject({ status: "partial", severity: "warning", type: "redis-snapshot", command: "dr backup redis snapshot", text: "Backup redis-snapshot is not in every backend. it went as it went. The command was `dr backup redis snapshot`." });
    expect(webhookBody(blackroad, notice("recovered"), {}).text).toContain("works again");
  });

  it("an address with a secret in it is refused in the configuration itself", () => {
    for (const url of ["https://user:pass@chat.example/", "https://chat.example/?token=x", "ftp://chat.example/"]) expect(notificationsConfigSchema.safeParse({ webhooks: [{ url }] }).success).toBe(false);
    expect(notificationsConfigSchema.safeParse({ webhooks: [{}] }).success).toBe(false);
    expect(notificationsConfigSchema.safeParse({ webhooks: [{ urlFile: "/run/secrets/chat" }], alertmanagers: [{ url: "https://alerts.example/prefix" }] }).success).toBe(true);
  });
});
