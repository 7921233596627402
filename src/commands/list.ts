import type { CommandModule } from "yargs";
import { adArchive } from "./ad-archive.ts";
import { block } from "./block.ts";
import { check } from "./check.ts";
import { client } from "./client.ts";
import { code } from "./code.ts";
import { config } from "./config.ts";
import { consent } from "./consent.ts";
import { dkim } from "./dkim.ts";
import { doctor } from "./doctor.ts";
import { explain } from "./explain.ts";
import { hold } from "./hold.ts";
import { learn } from "./learn.ts";
import { ledger } from "./ledger.ts";
import { pack } from "./pack.ts";
import { queue } from "./queue.ts";
import { rules } from "./rules.ts";
import { serve } from "./serve.ts";
import { top } from "./top.ts";
import { trace } from "./trace.ts";

/** Every command, in the order of --help. */
export const COMMANDS: readonly CommandModule[] = [
  serve,
  top,
  doctor,
  check,
  config,
  client,
  block,
  consent,
  code,
  dkim,
  pack,
  rules,
  learn,
  explain,
  ledger,
  adArchive,
  queue,
  hold,
  trace,
];
