import { defineGroup } from "./globals.ts";
import { find } from "./ledger-find.ts";
import { LEDGER_MEMBERS } from "./ledger-members.ts";

export const ledger = defineGroup("ledger", "What happened to each mail", [find, ...LEDGER_MEMBERS]);
