import { defineGroup } from "./globals.ts";
import { exportRequest } from "./ledger-export.ts";
import { requestMembers } from "./ledger-request.ts";

export const request = defineGroup(
  "request",
  "Requests of authorities: opened by one person, approved by another, exported sealed",
  [...requestMembers, exportRequest],
);
