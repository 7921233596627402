/**
 * ARC seals (RFC 8617) on mail that we change: whoever signed it before would be found broken behind us, so we say what we found when
 * it came and sign it as it leaves. Made when all edits are known, so that what is sealed is what goes on.
 */
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { SEALED_NAMES, type Sealer, sealArc } from "../authenticity/arc/seal.ts";
import { judgedBefore, methodsOf, signedMailOf } from "../authenticity/judge.ts";
import { writeResultsFlat } from "../authenticity/results.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../kit/clock.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Content } from "../mail/content.ts";
import { editHeader, type HeaderEdit } from "../mail/edits.ts";
import { Headers } from "../mail/headers.ts";

/** The fields to put on top; none for a mail that stays as it is, or of which nothing was found out. */
export type Sealing = (
  headers: Headers,
  content: Content,
  edits: readonly HeaderEdit[],
) => Promise<readonly HeaderEdit[]>;

/** @throws Misuse when the key cannot be read; undefined where nothing is to be sealed */
export function openSealing({ arc, hostname }: Config, clock: Clock): Sealing | undefined {
  if (!arc) return undefined;
  const sealer: Sealer = { domain: arc.domain, selector: arc.selector, key: readKey(arc.keyFile) };
  return async (headers, content, edits) => {
    const found = judgedBefore(headers);
    const changes = edits.some(({ kind }) => kind !== "add");
    if (!found || (arc.seal === "changed" && !changes)) return [];
    const block = editHeader(content.header, edits).block;
    const mail = { ...signedMailOf(headers, content), headers: Headers.parse(block), block };
    const results = writeResultsFlat(hostname.toLowerCase(), methodsOf(found));
    const fields = await sealArc(mail, {
      sealer,
      chain: found.arc,
      results,
      signedNames: SEALED_NAMES,
      nowMs: clock.now(),
    });
    return fields.map((field) => ({ kind: "add", ...field }));
  };
}

function readKey(file: string): Sealer["key"] {
  try {
    const key = createPrivateKey(readFileSync(file));
    if (["rsa", "ed25519"].includes(key.asymmetricKeyType ?? "")) return key;
    throw new Error("expected an RSA or Ed25519 key");
  } catch (error) {
    throw new Misuse(`arc.keyFile: ${(error as Error).message}`);
  }
}
