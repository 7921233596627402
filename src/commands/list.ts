import type { CommandModule } from "yargs";
import { check } from "./check.ts";
import { client } from "./client.ts";
import { config } from "./config.ts";
import { consent } from "./consent.ts";
import { learn } from "./learn.ts";
import { ledger } from "./ledger.ts";
import { pack } from "./pack.ts";
import { rules } from "./rules.ts";
import { serve } from "./serve.ts";

/** Every command, in the order of --help. */
export const COMMANDS: readonly CommandModule[] = [serve, check, config, client, consent, pack, rules, learn, ledger];
