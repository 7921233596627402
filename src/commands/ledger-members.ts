import { clock } from "./ledger-clock.ts";
import { explain } from "./ledger-explain.ts";
import { hold } from "./ledger-hold.ts";
import { lookups } from "./ledger-lookups.ts";
import { request } from "./ledger-request-group.ts";
import { subject } from "./ledger-subject.ts";
import { verify } from "./ledger-verify.ts";

/** The commands of `consentry ledger` besides `find`, in the order of --help. */
export const LEDGER_MEMBERS = [explain, verify, request, lookups, subject, hold, clock];
