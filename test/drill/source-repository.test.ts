import { describe, expect, it } from "vitest";
import { parsePgbackrestConf, sourceRepository } from "../../drill/source/repository.ts";

const conf = `
[global]
repo1-path=/srv/one
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=first
repo1-retention-full=7
repo2-type=s3
repo2-path=/two
repo2-s3-bucket=their-bucket
repo2-s3-endpoint=s3.example
repo2-s3-region=eu-west-1
repo2-s3-key=k
repo2-s3-key-secret=s
spool-path=/var/spool/pgbackrest
archive-async=y
# a comment
[main]
pg1-path=/var/lib/postgresql/15/main
pg1-host=production
repo1-cipher-pass=second
`;

describe("a repository that the drill did not make", () => {
  it("is found in its owner's configuration by its folder, the stanza's options before the global ones", () => {
    const { options, remote } = sourceRepository("/srv/one/", conf, "main");
    expect(options).toEqual({ "repo1-type": "posix", "repo1-path": "/srv/one", "repo1-cipher-type": "aes-256-cbc", "repo1-cipher-pass": "second" });
    expect(remote).toBe(false);
  });

  it("is found by its bucket and renumbered to repo1", () => {
    const { options, remote } = sourceRepository("s3://their-bucket/two", conf, "main");
    expect(options).toMatchObject({ "repo1-type": "s3", "repo1-s3-bucket": "their-bucket", "repo1-path": "/two", "repo1-s3-key": "k" });
    expect(remote).toBe(true);
  });

  it("takes nothing along that leads to its owner's servers", () => {
    for (const source of ["/srv/one", "s3://their-bucket/two"]) {
      expect(Object.keys(sourceRepository(source, conf, "main").options).filter((key) => !key.startsWith("repo1-"))).toEqual([]);
    }
  });

  it("needs no configuration where it is a folder without a passphrase", () => {
    expect(sourceRepository("/srv/plain", undefined, undefined).options).toEqual({ "repo1-type": "posix", "repo1-path": "/srv/plain" });
  });

  it("says what is missing for a bucket", () => {
    expect(() => sourceRepository("s3://their-bucket/two", undefined, undefined)).toThrow(/no repository in bucket their-bucket.*--source-config/);
    expect(() => sourceRepository("s3://b/x", "[global]\nrepo1-path=/x\nrepo1-s3-bucket=b\nrepo1-s3-region=r", undefined)).toThrow(/repoN-s3-endpoint is missing/);
  });

  it("refuses what is neither a folder nor a bucket", () => {
    expect(() => sourceRepository("relative/folder", undefined, undefined)).toThrow(/neither an absolute folder nor s3/);
  });

  it("names the line that is no configuration", () => {
    expect(() => parsePgbackrestConf("[global]\nnonsense")).toThrow(/line 2 is neither/);
  });
});
