import type { StackRole } from "../../plan/names.ts";
import { exampleRecipients } from "./example-recipients.ts";

/** What tests tell a stack besides its example: what an operator must add himself, and steps that come later. */
export const exampleChanges: Readonly<Record<StackRole, Readonly<Record<string, unknown>>>> = {
  global: { escrow: { recipients: exampleRecipients } },
  primary: { postgresAccess: { enabled: true, host: "pg-0.us-east-1.dr.blackroad.example", port: 5432 } },
  secondary: {},
  archive: {},
  drill: {},
};
