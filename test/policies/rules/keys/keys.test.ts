import { unknown } from "../../../../policies/core/value.ts";
import { kmsAliases } from "../../../../policies/rules/keys/kms-aliases.ts";
import { kmsAllForRootOnly } from "../../../../policies/rules/keys/kms-all-for-root-only.ts";
import { kmsDeletionDenied } from "../../../../policies/rules/keys/kms-deletion-denied.ts";
import { kmsDeletionWindow } from "../../../../policies/rules/keys/kms-deletion-window.ts";
import { kmsEnabled } from "../../../../policies/rules/keys/kms-enabled.ts";
import { kmsNoWildcardPrincipal } from "../../../../policies/rules/keys/kms-no-wildcard-principal.ts";
import { kmsReplicas } from "../../../../policies/rules/keys/kms-replicas.ts";
import { kmsRotation } from "../../../../policies/rules/keys/kms-rotation.ts";
import { workloadKeepsKeys } from "../../../../policies/rules/keys/workload-keeps-keys.ts";
import { workloadKeepsRights } from "../../../../policies/rules/keys/workload-keeps-rights.ts";
import { resource } from "../../../harness/policies.ts";
import { tryResource, tryStack } from "../cases.ts";

tryResource(kmsRotation, {
  passes: { "a yearly one": { enableKeyRotation: true }, "a faster one": { enableKeyRotation: true, rotationPeriodInDays: 90 } },
  fails: { "none": { enableKeyRotation: false }, "nothing set": {}, "a slow one": { enableKeyRotation: true, rotationPeriodInDays: 2560 } },
  unjudged: { "an unknown switch": { enableKeyRotation: unknown }, "an unknown period": { enableKeyRotation: true, rotationPeriodInDays: unknown } },
});
tryResource(kmsDeletionWindow, { passes: { "30 days": { deletionWindowInDays: 30 } }, fails: { "a week": { deletionWindowInDays: 7 }, "nothing set": {} }, unjudged: { "an unknown window": { deletionWindowInDays: unknown } } });
tryResource(kmsDeletionWindow, { production: false, passes: { "a week, outside production": { deletionWindowInDays: 7 } }, fails: { "nothing set, outside production": {} }, unjudged: {} });

const root = "arn:aws:iam::111122223333:root";
const administrator = "arn:aws:iam::111122223333:role/KeyAdministrator";
const destroy = ["kms:ScheduleKeyDeletion", "kms:DisableKey"];
const policy = (...Statement: readonly object[]) => ({ multiRegion: true, policy: JSON.stringify({ Version: "2012-10-17", Statement }) });
const allow = (more: object) => ({ Effect: "Allow", Principal: { AWS: root }, Action: "kms:Decrypt", Resource: "*", ...more });
const deny = (more: object = {}) => ({ Effect: "Deny", Principal: "*", Action: destroy, Resource: "*", Condition: { ArnNotLike: { "aws:PrincipalArn": [administrator] } }, ...more });
const missing = { "a multi-region key without a policy": { multiRegion: true }, "no JSON": { policy: "{" }, "no statement": { policy: "{}" }, "an effect that is none": policy(allow({ Effect: "allow" })) };
const unread = { "an unknown policy": { multiRegion: true, policy: unknown }, "an unknown part of one": { policy: { Statement: [deny(), allow({ Principal: { AWS: unknown } })] } } };

tryResource(kmsNoWildcardPrincipal, {
  passes: { "the account": policy(allow({})), "a denial for everybody": policy(deny()), "AWS's own, for a key of one region": {} },
  fails: { ...missing, "everybody": policy(allow({ Principal: "*" })), "everybody of AWS": policy(allow({ Principal: { AWS: ["*"] } })), "everybody but one": policy(allow({ Principal: undefined, NotPrincipal: { AWS: root } })), "one statement without a list": { policy: JSON.stringify({ Statement: allow({ Principal: "*" }) }) } },
  unjudged: unread,
});
tryResource(kmsAllForRootOnly, {
  passes: { "the root": policy(allow({ Action: "kms:*" })), "the root user alone": policy(allow({ Action: "kms:*", Condition: { ArnEquals: { "aws:PrincipalArn": root } } })) },
  fails: { ...missing, "a role": policy(allow({ Action: ["kms:*"], Principal: { AWS: administrator } })), "a role by its condition": policy(allow({ Action: "*", Condition: { ArnLike: { "aws:PrincipalArn": administrator } } })), "all but one action": policy(allow({ Action: undefined, NotAction: "kms:Decrypt" })), "everything by another pattern": policy(allow({ Action: "kms:?*", Principal: { AWS: administrator } })), "the root of another account besides": policy(allow({ Action: "kms:*", Principal: { AWS: [root, "arn:aws:iam::999988887777:root"] } })) },
  unjudged: unread,
});
tryResource(kmsAllForRootOnly, { passes: {}, fails: { "a policy beside the key": { policy: policy(allow({ Action: "kms:*", Principal: { AWS: administrator } })).policy }, "none": {} }, unjudged: { "an unknown policy": { policy: unknown } } }, "aws:kms/keyPolicy:KeyPolicy");
tryResource(kmsEnabled, { passes: { "nothing said": {}, "on": { isEnabled: true } }, fails: { "off": { isEnabled: false }, "a policy that locks everybody out": { bypassPolicyLockoutSafetyCheck: true } }, unjudged: { "an unknown switch": { isEnabled: unknown } } });
tryResource(kmsEnabled, { passes: { "on": { enabled: true } }, fails: { "off": { enabled: false } }, unjudged: { "an unknown switch": { enabled: unknown } } }, "aws:kms/replicaKey:ReplicaKey");
tryResource(kmsDeletionDenied, {
  passes: { "everybody but administrators": policy(deny()), "administrators that are allowed": policy(deny(), allow({ Action: destroy, Condition: { ArnLike: { "aws:PrincipalArn": administrator } } })) },
  fails: {
    ...missing, "no denial": policy(allow({})), "a denial with an exception for workloads": policy(deny({ Condition: { ArnNotLike: { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/blackroad-dr-postgres-us-east-1" } } })), "an exception for every role": policy(deny({ Condition: { ArnNotLike: { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/*" } } })),
    "an exception for a pattern with workloads in it": policy(deny({ Condition: { ArnNotLike: { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/black*" } } })), "a denial about another key": policy(deny({ Resource: "arn:aws:kms:us-west-2:111122223333:key/other" })), "a denial for services": policy(deny({ Principal: { Service: "*" } })),
    "a denial of one of both": policy(deny({ Action: "kms:DisableKey" })), "a denial for one": policy(deny({ Principal: { AWS: root } })), "somebody without a name who is allowed": policy(deny(), allow({ Action: destroy })), "a workload that is allowed": policy(deny(), allow({ Action: "kms:*", Condition: { ArnLike: { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/blackroad-dr-*" } } })),
  },
  unjudged: unread,
});
tryResource(workloadKeepsKeys, {
  passes: { "its own use": { role: "blackroad-dr-postgres-us-east-1", ...policy(allow({})) }, "a denial": { role: "blackroad-dr-postgres-us-east-1", ...policy(deny()) }, "an administrator's": { role: "KeyAdministrator", ...policy(allow({ Action: "kms:*" })) } },
  fails: { "deletion": { role: "blackroad-dr-postgres-us-east-1", ...policy(allow({ Action: "kms:ScheduleKeyDeletion" })) }, "a pattern of it, in other letters": { role: "blackroad-dr-postgres-us-east-1", ...policy(allow({ Action: "KMS:Schedule*" })) }, "a role that is not known": { role: unknown, ...policy(allow({ Action: "kms:*" })) }, "all but": { role: "blackroad-dr-all-us-east-1", ...policy(allow({ Action: undefined, NotAction: "s3:*" })) }, "no policy": { role: "blackroad-dr-all-us-east-1" } },
  unjudged: { "an unknown policy": { role: "blackroad-dr-all-us-east-1", policy: unknown } },
});

tryResource(workloadKeepsRights, {
  passes: { "none": { role: "blackroad-dr-all-us-east-1", ...policy(allow({ Action: "s3:PutObject" })) } },
  fails: { "a policy of its own making": { role: "blackroad-dr-all-us-east-1", ...policy(allow({ Action: "iam:Put*" })) }, "a role to hand on": { role: "blackroad-dr-all-us-east-1", ...policy(allow({ Action: ["iam:PassRole"] })) } },
  unjudged: { "an unknown policy": { role: "blackroad-dr-all-us-east-1", policy: unknown } },
});

const regions = ["us-west-2", "us-east-1", "eu-west-1"];
const key = resource("aws:kms/key:Key", { multiRegion: true, region: "us-west-2" }, { name: "key", parent: "component" });
const replica = (region: unknown) => resource("aws:kms/replicaKey:ReplicaKey", { region, primaryKeyArn: unknown }, { name: `replica-${String(region)}`, propertyDependencies: { primaryKeyArn: [key.urn] } });
const alias = (region: unknown, name: unknown = "alias/blackroad-backups") => resource("aws:kms/alias:Alias", { name, region }, { name: `alias-${String(region)}`, parent: "component" });
tryStack(kmsReplicas, {
  passes: { "one in each region": [key, replica("us-east-1"), replica("eu-west-1")], "another key of one region": [{ ...key, props: {} }] },
  fails: { "a region without": [key, replica("us-east-1")], "a key of the plan in one region": [{ ...key, props: { multiRegion: false, region: "us-west-2" } }, alias("us-west-2")] },
  unjudged: { "an unknown region": [key, replica("us-east-1"), replica(unknown)] },
});
tryStack(kmsAliases, {
  passes: { "one in each region": regions.map((region) => alias(region)), "another key's": [alias("us-east-1", "alias/other")] },
  fails: { "a region without": [alias("us-west-2"), alias("us-east-1")] },
  unjudged: { "an unknown region": [alias("us-west-2"), alias("us-east-1"), alias(unknown)], "an unknown name": [alias("us-west-2"), alias("us-east-1"), alias("eu-west-1", unknown)] },
});
