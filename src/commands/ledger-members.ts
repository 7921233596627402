import { hold } from "./ledger-hold.ts";
import { request } from "./ledger-request.ts";

/** The commands of `consentry ledger` besides `find`, in the order of --help. */
export const LEDGER_MEMBERS = [request, hold];
