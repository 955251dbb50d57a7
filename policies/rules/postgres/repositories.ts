import { stanza } from "../../../plan/names.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { configMapType, fileSelectors, pgbackrestFiles, repositoriesOf, sectionsOf } from "./files.ts";

/** A copy on the database's own disk is lost with it. */
const leastRepositories = 2;

export const pgbackrestRepositories: ResourceRule = {
  kind: "resource",
  id: "pgbackrest-repositories",
  severity: "critical",
  enforcement: "mandatory",
  protects: "With one repository the loss of one provider, or of one bucket, is the loss of every backup and of all WAL.",
  fix: "Configure a repository for each backend of the plan that jobs write to, each in its own bucket of an object store.",
  types: [configMapType],
  breaks: {
    "data.pgbackrest.conf": "",
    "data.pgbackrest.conf.global": {},
    [`data.pgbackrest.conf.${stanza}`]: { "repo1-cipher-type": "none" },
    "data.pgbackrest.conf.global:archive-push": { "repo1-cipher-type": "none" },
    "data.pgbackrest.conf.global.repo*-type": "posix",
    "data.pgbackrest.conf.global.repo*-s3-bucket": "bucket-of-somebody-else",
  },
  selects: fileSelectors,
  judge(resource, verdict) {
    const wanted = verdict.plan.backends.filter(({ kind }) => kind === "r2" || kind === "s3").map(({ bucket }) => bucket);
    for (const file of pgbackrestFiles(resource, verdict)) {
      const names = repositoriesOf(file);
      if (names.length < leastRepositories) verdict.violation(file, file.pathOf("global"), `configures ${names.length} of at least ${leastRepositories} repositories`);
      const buckets = names.map((name) => {
        verdict.property(file, ["global", `${name}-type`], (type) => (type === "s3" ? undefined : `${shown(type)}, no object store`));
        const bucket = file.read(["global", `${name}-s3-bucket`]);
        return bucket.state === "known" ? String(bucket.value) : undefined;
      });
      for (const section of sectionsOf(file)) {
        for (const option of file.keys([section]).filter((key) => /^repo\d*-/.test(key))) verdict.violation(file, file.pathOf([section, option]), "stands in a section that goes before global, where no rule reads it");
      }
      for (const bucket of wanted) if (!buckets.includes(bucket)) verdict.violation(file, file.pathOf("global"), `has no repository in ${bucket}, which the plan names`);
    }
  },
};
