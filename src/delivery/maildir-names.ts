import { createHash } from "node:crypto";

/** Well under the 255 bytes a file name may have. */
const NAME_MAX = 200;
const CUT_AT = 100;

/**
 * A recipient's key as the name of one directory: readable for ordinary addresses, never a way out of the parent (no
 * slash, no NUL, no leading dot), and never the same for two keys: what is not plain is written %XX, what is too long is
 * cut and marked with its hash.
 */
export function mailboxName(key: string): string {
  const name = key.replace(/[^a-z0-9@._+=-]+/gu, (run) => percent(Buffer.from(run))).replace(/^\./, "%2E");
  if (name !== "" && name.length <= NAME_MAX) return name;
  return `${name.slice(0, CUT_AT)}~${createHash("sha256").update(key).digest("hex")}`;
}

const percent = (bytes: Buffer): string =>
  bytes.reduce((text, byte) => `${text}%${byte.toString(16).toUpperCase().padStart(2, "0")}`, "");
