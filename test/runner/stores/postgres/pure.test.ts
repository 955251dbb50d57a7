import { describe, expect, it } from "vitest";
import { leadsTo, leaves, lastCommit, parseHistory } from "../../../../runner/stores/postgres/archive.ts";
import { expired } from "../../../../runner/stores/postgres/expire.ts";
import { condense, pgbackrestError } from "../../../../runner/stores/postgres/faults.ts";
import { parseInfo, type RepositoryBackup } from "../../../../runner/stores/postgres/info.ts";
import { formatLsn, parseLsn, parseSegment, segmentName, timelineOf } from "../../../../runner/stores/postgres/lsn.ts";
import { damageOf, parseVerify } from "../../../../runner/stores/postgres/repository-check.ts";
import { targetArguments } from "../../../../runner/stores/postgres/restore.ts";

const segmentBytes = 16 * 1024 ** 2;

describe("LSNs and segments", () => {
  it("go there and back", () => {
    for (const text of ["0/0", "0/A018FF0", "16/B374D848", "FFFFFFFF/FFFFFFFF"]) expect(formatLsn(parseLsn(text) ?? -1n)).toBe(text);
    for (const text of ["", "1", "1/", "G/0", "123456789/0"]) expect(parseLsn(text)).toBeUndefined();
    const lsn = parseLsn("16/B374D848") ?? 0n;
    expect(segmentName(3, lsn, segmentBytes)).toBe("0000000300000016000000B3");
    expect(parseSegment("0000000300000016000000B3", segmentBytes)).toEqual({ timeline: 3, start: parseLsn("16/B3000000") });
    expect(parseSegment("0000000300000016000000B3.partial", segmentBytes)).toBeUndefined();
    expect(timelineOf("0000000A.history")).toBe(10);
  });
});

describe("timelines", () => {
  const histories = new Map([[2, parseHistory("1\t0/3000060\tbefore 2026-11-22 21:18:20+00\n")], [3, parseHistory("1\t0/3000060\tno recovery target\n2\t0/5000000\tno recovery target\n")]]);

  it("are read with where each was left", () => {
    expect(histories.get(3)).toEqual([{ timeline: 1, until: 0x3000060n }, { timeline: 2, until: 0x5000000n }]);
    expect(parseHistory("\n# nothing\n")).toEqual([]);
  });

  it("end where nothing grew out of them", () => {
    expect(leaves({ timelines: [1, 2, 3], histories })).toEqual([3]);
    expect(leaves({ timelines: [1], histories: new Map() })).toEqual([1]);
    // A new timeline that has a history file and no segment yet.
    expect(leaves({ timelines: [1], histories: new Map([[2, [{ timeline: 1, until: 5n }]]]) })).toEqual([2]);
  });

  it("lead on only from before they were left", () => {
    expect(leadsTo({ histories }, 1, 0x3000060n, 3)).toBe(true);
    expect(leadsTo({ histories }, 1, 0x3000061n, 3)).toBe(false);
    expect(leadsTo({ histories }, 3, 0x9000000n, 3)).toBe(true);
    expect(leadsTo({ histories }, 3, 0n, 2)).toBe(false);
  });
});

describe("the newest commit", () => {
  it("is read from pg_waldump, also a prepared one", () => {
    const line = (xid: number, what: string) => `rmgr: Transaction len (rec/tot):     34/    34, tx:        ${xid}, lsn: 0/0A018E58, prev 0/0A018E20, desc: ${what}`;
    expect(lastCommit([line(734, "COMMIT 2026-11-22 21:17:00.000001 UTC"), line(735, "ABORT 2026-11-22 21:18:01.212018 UTC"), line(736, "COMMIT 2026-11-22 21:18:00.212018 UTC; inval msgs: catcache 55")].join("\n"))).toEqual({ xid: "736", text: "2026-11-22 21:18:00.212018", time: new Date("2026-11-22T21:18:00.212Z") });
    expect(lastCommit(line(0, "COMMIT_PREPARED 740: 2026-11-22 21:18:00.212018 UTC"))?.text).toBe("2026-11-22 21:18:00.212018");
    expect(lastCommit("")).toBeUndefined();
  });
});

const backup = (label: string, type: "full" | "diff" | "incr", references: string[] = []): RepositoryBackup => ({ label, type, references, startLsn: "0/1", stopLsn: "0/2", startedAt: new Date(0), stoppedAt: new Date(0), startSegment: "000000010000000000000006", stopSegment: "000000010000000000000006", timeline: 1, bytes: 1, storedBytes: 1, damagedPages: false, archiveId: "15-1" });

describe("expiry", () => {
  const all = [backup("F1", "full"), backup("I1", "incr", ["F1"]), backup("I2", "incr", ["F1", "I1"]), backup("D1", "diff", ["F1"]), backup("I3", "incr", ["F1", "D1"])];

  it("takes what is over and needed by nothing that is kept, and never the newest", () => {
    expect(expired(all, ({ label }) => label.startsWith("I"))).toEqual(["I1", "I2"]);
    expect(expired(all, ({ label }) => label === "I1")).toEqual([]);
    expect(expired(all, ({ label }) => label === "D1")).toEqual([]);
    expect(expired(all, () => true)).toEqual(["F1", "I1", "I2", "D1"]);
    expect(expired([], () => true)).toEqual([]);
  });
});

describe("pgBackRest's information", () => {
  const stanza = (changes: object) => JSON.stringify([{ name: "main", archive: [{ id: "15-1", min: null, max: null, database: { id: 1, "repo-key": 2 } }], backup: [], db: [{ id: 1, "repo-key": 2, "system-id": 7711102857190104943, version: "15" }], repo: [{ key: 2, cipher: "aes-256-cbc", status: { code: 0, message: "ok" } }], status: { code: 0, message: "ok" }, ...changes }]);

  it("is read with its backups, their LSNs and the archive they belong to", () => {
    const one = { archive: { start: "000000020000000000000006", stop: "000000020000000000000007" }, database: { id: 1, "repo-key": 2 }, error: false, info: { delta: 1, repository: { delta: 284 }, size: 2306 }, label: "20261122-211032F", lsn: { start: "0/6000028", stop: "0/7000100" }, prior: null, reference: null, timestamp: { start: 1795381832, stop: 1795381834 }, type: "full" };
    const info = parseInfo(stanza({ backup: [one] }), "main", "r2");
    expect(info).toMatchObject({ version: 15, archiveId: "15-1" });
    expect(info.backups).toEqual([{ label: "20261122-211032F", type: "full", startLsn: "0/6000028", stopLsn: "0/7000100", startedAt: new Date(1795381832000), stoppedAt: new Date(1795381834000), startSegment: "000000020000000000000006", stopSegment: "000000020000000000000007", timeline: 2, bytes: 2306, storedBytes: 284, references: [], damagedPages: false, archiveId: "15-1" }]);
  });

  it("says what is wrong with the repository", () => {
    expect(() => parseInfo("[]", "main", "r2")).toThrow(/holds no backups of the stanza main yet/);
    expect(() => parseInfo(stanza({ db: [], repo: [{ status: { code: 1, message: "missing stanza path" } }] }), "main", "r2")).toThrow(/holds no backups/);
    expect(() => parseInfo(stanza({ repo: [{ status: { code: 99, message: "[HostConnectError] unable to connect to 'localhost:1': [111] Connection refused" } }] }), "main", "r2")).toThrow(/does not accept connections/);
    expect(() => parseInfo("nonsense", "main", "r2")).toThrow(/cannot be understood/);
    // What a wrong passphrase gives: raw control characters inside the JSON.
    expect(() => parseInfo(stanza({ repo: [{ status: { code: 99, message: "[FormatError] key/value found outside of section at line 1: @@" } }] }).replace("@@", "\u0001\u007f"), "main", "r2")).toThrow(/passphrase is wrong/);
  });
});

describe("what pgBackRest says", () => {
  it("is shortened to what happened, without HTTP, without bytes", () => {
    const text = "ERROR: [039]: unable to load info file '/x':\n       ProtocolError: HTTP request failed with 403 (Forbidden):\n       *** Path/Query ***:\n       GET /bucket/x\n       *** Request Headers ***:\n       authorization: <redacted>\n       *** Response Content ***:\n       <?xml version=\"1.0\"?>\n       <Error><Code>SignatureDoesNotMatch</Code><Message>The signature differs.</Message></Error>\n       HINT: has a stanza-create been performed?";
    expect(condense(text)).toBe("ERROR: [039]: unable to load info file '/x':; ProtocolError: HTTP request failed with 403 (Forbidden): (SignatureDoesNotMatch: The signature differs.)");
    expect(condense("key/value found: \u0001ሴ")).toBe("key/value found: …");
  });

  it.each<[string, string, string]>([
    ["[28] No space left on device", "failed", "the disk is full"],
    ["CryptoError: unable to verify certificate presented by 'h': [20]", "unavailable", "not signed by a trusted authority"],
    ["<Code>InvalidAccessKeyId</Code>", "unavailable", "refuses the key"],
    ["HTTP request failed with 403 (Forbidden)", "unavailable", "denies access"],
    ["HostConnectError: unable to connect to 'localhost:1': [111] Connection refused", "unavailable", "does not accept connections"],
    ["FormatError: key/value found outside of section at line 1: ?", "unavailable", "passphrase is wrong"],
    ["FileMissingError: unable to open missing file '/x/backup.info' for read", "unavailable", "holds no backups"],
    ["WAL segment 00000001000000000000000A was not archived before the 60000ms timeout", "failed", "did not reach the repository in time"],
    ["[ChecksumError] on retry after 0ms", "failed", "the backup is damaged"],
    ["[CryptoError] unable to set user-defined CA certificate location: [2147483650] no details available", "unavailable", "the file of the authorities that sign the repository's certificate cannot be read"],
    ["something else", "failed", "failed with code 25: something else"],
  ])("%s is %s: %s", (output, kind, what) => {
    const error = pgbackrestError("backup", "repository r2", 25, output);
    expect(error.kind).toBe(kind);
    expect(error.what).toContain(what);
    expect(error.where).toBe("repository r2");
  });
});

describe("damage", () => {
  const output = [
    "2026-11-22 21:13:04.192 P00 DETAIL: 20261122-211032F/backup.manifest is missing or unusable, using copy",
    "2026-11-22 21:13:05.391 P01   INFO: invalid checksum '20261122-211032F/pg_data/base/5/2609.zst'",
    "2026-11-22 21:13:19.146 P02   INFO: invalid result 15-1/0000000100000000/000000010000000000000006-b9efe7eec73ad75c35d5424141af7cfff514dc14.zst: [29] raised from local-2 protocol: zst error: [-20] Data corruption detected",
    "2026-11-22 21:13:19.147 P00 DETAIL: archiveId: 15-1, wal start: 000000010000000000000001, wal stop: 000000010000000000000008",
    "                                      archiveId: 15-1, total WAL checked: 8, total valid WAL: 7",
    "                                        missing: 0, checksum invalid: 0, size invalid: 0, other: 1",
  ].join("\n");

  it("is read from verify's log by file", () => {
    expect(parseVerify(output).map(({ file, label, segment }) => ({ file, label, segment }))).toEqual([
      { file: "20261122-211032F/pg_data/base/5/2609.zst", label: "20261122-211032F", segment: undefined },
      { file: "15-1/0000000100000000/000000010000000000000006-b9efe7eec73ad75c35d5424141af7cfff514dc14.zst", label: undefined, segment: "000000010000000000000006" },
      { file: "20261122-211032F/backup.manifest", label: "20261122-211032F", segment: undefined },
    ]);
    expect(parseVerify("stanza: main\nstatus: ok\n    missing: 0, checksum invalid: 0, size invalid: 0, other: 0")).toEqual([]);
  });

  it("counts for a backup where the backup needs it", () => {
    const [files, wal, manifest] = parseVerify(output);
    const all = [files, wal, manifest, { file: "archive.info", what: "damaged" }].filter((one) => one !== undefined);
    expect(damageOf(all, backup("20261122-211032F", "full")).here).toHaveLength(4);
    expect(damageOf(all, { ...backup("20261123-000000F", "full"), startSegment: "000000010000000000000007" })).toEqual({ here: ["archive.info: damaged"], elsewhere: expect.arrayContaining([expect.stringMatching(/^20261122-211032F/)]) as string[] });
    expect(damageOf(all, backup("20261122-211032F_20261122-220000I", "incr", ["20261122-211032F"])).here).toHaveLength(4);
  });
});

describe("pgBackRest's options for a target", () => {
  it("always name the timeline", () => {
    const time = { date: new Date(0), postgres: "1970-01-01 00:00:00.000000+00" };
    expect(targetArguments({ kind: "latest" }, 3, true)).toEqual(["--type=default", "--target-timeline=3"]);
    expect(targetArguments({ kind: "time", time }, 3, true)).toEqual(["--type=time", "--target=1970-01-01 00:00:00.000000+00", "--target-action=promote", "--target-timeline=3"]);
    expect(targetArguments({ kind: "xid", xid: 2n ** 32n + 7n }, 1, false)).toEqual(["--type=xid", "--target=7", "--target-action=pause", "--target-timeline=1"]);
    expect(targetArguments({ kind: "lsn", lsn: 0x5000000n }, 1, true)).toContain("--target=0/5000000");
    expect(targetArguments({ kind: "name", name: "a b" }, 1, true)).toContain("--target=a b");
    expect(targetArguments({ kind: "immediate" }, 2, true)).toContain("--recovery-option=recovery_target_timeline=2");
  });
});
