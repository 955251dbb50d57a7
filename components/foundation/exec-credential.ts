import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";
import type { ExecCommand } from "./kubeconfig.ts";

/** What a command of a kubeconfig answers with (`ExecCredential` of client.authentication.k8s.io). */
const answer = z.object({ status: z.object({ token: z.string().optional(), clientCertificateData: z.string().optional(), clientKeyData: z.string().optional() }) });

export interface ExecCredential {
  readonly token?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Seconds; a command that asks a person something is not waited for. */
const deadline = 30;

/**
 * Asks a kubeconfig's command for credentials, as kubectl does: `aws eks get-token` and its like. It gets our
 * environment, where the cloud's credentials are. What it answers is never logged.
 */
export async function execCredential({ apiVersion, command, args, env }: ExecCommand): Promise<ExecCredential> {
  const info = JSON.stringify({ apiVersion, kind: "ExecCredential", spec: { interactive: false } });
  const environment = { ...process.env, ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])), KUBERNETES_EXEC_INFO: info };
  let stdout: string;
  try {
    ({ stdout } = await promisify(execFile)(command, args ?? [], { env: environment, timeout: deadline * 1_000, killSignal: "SIGKILL" }));
  } catch (cause) {
    throw new Error(`the kubeconfig's command ${command} gave no credentials: ${reason(cause)}`, { cause });
  }
  const parsed = answer.safeParse(json(stdout));
  if (!parsed.success) throw new Error(`the kubeconfig's command ${command} gave no ExecCredential`);
  const { token, clientCertificateData, clientKeyData } = parsed.data.status;
  return { token, certificate: clientCertificateData, key: clientKeyData };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if ("code" in cause && cause.code === "ENOENT") return "it is not on PATH";
  if ("killed" in cause && cause.killed === true) return `it took longer than ${deadline} s`;
  return "stderr" in cause && typeof cause.stderr === "string" && cause.stderr.trim() !== "" ? cause.stderr.trim() : cause.message;
}
