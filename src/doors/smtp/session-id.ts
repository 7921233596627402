import { randomFillSync } from "node:crypto";

const DIGITS = "0123456789abcdefghijklmnopqrstuv";
const LENGTH = 16;
const POOL_IDS = 256;
const pool = new Uint8Array(LENGTH * POOL_IDS);
let taken = POOL_IDS;

/**
 * A random id of a session: 80 bits in the 16 digits that smtp-server's have. Chance is drawn for many at a time, because asking for ten
 * bytes costs as much as for thousands.
 */
export function newSessionId(): string {
  if (taken === POOL_IDS) {
    randomFillSync(pool);
    taken = 0;
  }
  const at = taken * LENGTH;
  taken += 1;
  let id = "";
  for (let index = at; index < at + LENGTH; index += 1) id += DIGITS[(pool[index] ?? 0) & 31];
  return id;
}
