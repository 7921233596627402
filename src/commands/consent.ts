import { list } from "./consent-list.ts";
import { show } from "./consent-show.ts";
import { exportCommand, importCommand } from "./consent-transfer.ts";
import { grant, request, withdraw } from "./consent-word.ts";
import { defineGroup } from "./globals.ts";

export const consent = defineGroup("consent", "What recipients have said to advertisers", [
  grant,
  withdraw,
  show,
  request,
  list,
  importCommand,
  exportCommand,
]);
