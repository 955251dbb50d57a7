import type { Rule } from "../../core/rule.ts";
import { postgresArchiveTimeout } from "./archive-timeout.ts";
import { postgresArchiving } from "./archiving.ts";
import { postgresChecksums } from "./checksums.ts";
import { pgbackrestEncrypted } from "./encrypted.ts";
import { patroniVerified } from "./patroni-verified.ts";
import { pgbackrestOneSource } from "./one-source.ts";
import { pgbackrestQueueMax } from "./queue-max.ts";
import { pgbackrestRepositories } from "./repositories.ts";
import { pgbackrestKeeps } from "./retention.ts";
import { postgresSlotsBounded } from "./slots-bounded.ts";
import { postgresTlsOnly } from "./tls-only.ts";

export const postgresRules: readonly Rule[] = [postgresArchiving, postgresArchiveTimeout, postgresChecksums, postgresSlotsBounded, postgresTlsOnly, patroniVerified, pgbackrestRepositories, pgbackrestEncrypted, pgbackrestKeeps, pgbackrestOneSource, pgbackrestQueueMax];
