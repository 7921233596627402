import type { Target } from "../target.ts";
import { addresses } from "./addresses.ts";
import { answers } from "./answers.ts";
import { authenticity } from "./authenticity.ts";
import { config, packs } from "./config.ts";
import { dns } from "./dns.ts";
import { headers } from "./headers.ts";
import { http } from "./http.ts";
import { milter } from "./milter.ts";
import { mime } from "./mime.ts";
import { records } from "./records.ts";
import { smtp } from "./smtp.ts";
import { words } from "./words.ts";

/** Doors first: they are what the world reaches. */
export const TARGETS: readonly Target[] = [
  ...[smtp, milter, http, answers],
  ...[headers, mime, addresses, words],
  ...[dns, records, authenticity],
  ...[config, packs],
];

/** @throws Error for a name that is none */
export function targetOf(name: string): Target {
  const found = TARGETS.find((target) => target.name === name);
  if (!found) throw new Error(`no target ${name}`);
  return found;
}
