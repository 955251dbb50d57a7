import type { Rule } from "../../core/rule.ts";
import { imageDigest } from "./image-digest.ts";
import { podCapabilities } from "./pod-capabilities.ts";
import { podEscalation } from "./pod-escalation.ts";
import { podHost } from "./pod-host.ts";
import { podNonRoot } from "./pod-non-root.ts";
import { podReadOnlyRoot } from "./pod-read-only-root.ts";
import { podSeccomp } from "./pod-seccomp.ts";
import { secretFiles } from "./secret-files.ts";

export const kubernetesRules: readonly Rule[] = [imageDigest, podCapabilities, podEscalation, podHost, podNonRoot, podReadOnlyRoot, podSeccomp, secretFiles];
