/** How a key is published (RFC 6376 3.6.1, RFC 8463 4). */
import { createPublicKey } from "node:crypto";
import type { Signer } from "./sign.ts";

/** Bytes of SubjectPublicKeyInfo in front of an Ed25519 key. */
const ED25519_PREFIX_BYTES = 12;
/** Longest piece of a TXT record (RFC 1035 3.3). */
const PIECE_MAX = 255;

/** Where the record stands: "s1._domainkey.shop.example". */
export const recordName = ({ selector, domain }: Pick<Signer, "selector" | "domain">): string =>
  `${selector}._domainkey.${domain}`;

/** The text of the record: "v=DKIM1; k=rsa; p=…". */
export function recordText({ key }: Pick<Signer, "key">): string {
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const isEd25519 = key.asymmetricKeyType === "ed25519";
  const bytes = isEd25519 ? spki.subarray(ED25519_PREFIX_BYTES) : spki;
  return `v=DKIM1; k=${isEd25519 ? "ed25519" : "rsa"}; p=${bytes.toString("base64")}`;
}

/** The line of a zone file. */
export function zoneLine(signer: Signer): string {
  const pieces = recordText(signer).match(new RegExp(`.{1,${PIECE_MAX}}`, "g")) ?? [];
  return `${recordName(signer)}. IN TXT ${pieces.length > 1 ? "( " : ""}${pieces.map((piece) => `"${piece}"`).join(" ")}${pieces.length > 1 ? " )" : ""}`;
}
