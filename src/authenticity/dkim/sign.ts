/** Signing (RFC 6376 5, RFC 8463): a signature of each key over the mail as it leaves. */
import { createHash, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import { relaxedField } from "./canonical.ts";
import { hashBodies, type SignedMail, signedHeaders } from "./verify.ts";

export interface Signer {
  /** d=: whose signature it is; lower case A-labels. */
  readonly domain: string;
  /** s=: the key is published at selector._domainkey.domain. */
  readonly selector: string;
  /** Private: RSA or Ed25519. */
  readonly key: KeyObject;
}

/**
 * Fields that a signature covers. Each stands once more than the mail has it, so that nobody can add another one behind us
 * (RFC 6376 8.15); List-Unsubscribe and its Post are here because RFC 8058 asks for it.
 */
export const SIGNED_NAMES: readonly string[] = [
  "from",
  "sender",
  "reply-to",
  "to",
  "cc",
  "subject",
  "date",
  "message-id",
  "in-reply-to",
  "references",
  "mime-version",
  "content-type",
  "content-transfer-encoding",
  "list-id",
  "list-unsubscribe",
  "list-unsubscribe-post",
];

const signAsync = promisify(sign) as (hash: string | null, data: Buffer, key: KeyObject) => Promise<Buffer>;

/** RSA over the text's SHA-256, Ed25519 over the hash itself (RFC 8463 3). One character a byte. */
export async function signText(key: KeyObject, text: string): Promise<string> {
  const bytes = Buffer.from(text, "latin1");
  const signature =
    key.asymmetricKeyType === "rsa"
      ? await signAsync("sha256", bytes, key)
      : await signAsync(null, createHash("sha256").update(bytes).digest(), key);
  return signature.toString("base64");
}

/** a= of a key. */
export const algorithmOf = (key: KeyObject): string =>
  key.asymmetricKeyType === "ed25519" ? "ed25519-sha256" : "rsa-sha256";

/**
 * Values of DKIM-Signature fields, one for each signer, in their order. The body is read once for all.
 *
 * @param mail as it leaves, every edit made
 * @param nowMs t=, ms since 1970
 */
export async function signDkim(mail: SignedMail, signers: readonly Signer[], nowMs: number): Promise<string[]> {
  const [hashed] = (await hashBodies(mail, [RELAXED])).values();
  const names = SIGNED_NAMES.flatMap((name) => [...Array(mail.headers.count(name)).fill(name), name]);
  const text = signedHeaders(mail, { signedNames: names, headerCanon: "relaxed" });
  const about = { bodyHash: hashed?.hash ?? "", names, timeS: Math.floor(nowMs / 1000) };
  return Promise.all(signers.map((signer) => signatureOf(signer, text, about)));
}

const RELAXED = { bodyCanon: "relaxed", algorithm: { key: "rsa", hash: "sha256" } } as const;

async function signatureOf(
  { domain, selector, key }: Signer,
  text: string,
  { bodyHash, names, timeS }: { bodyHash: string; names: readonly string[]; timeS: number },
): Promise<string> {
  const front = [
    `v=1; a=${algorithmOf(key)}; c=relaxed/relaxed; d=${domain}; s=${selector}; t=${timeS};`,
    ` h=${inLines(names, ":", " ")};`,
    ` bh=${bodyHash};`,
    " b=",
  ].join("\r\n");
  const signed = text + relaxedField("dkim-signature", front.replaceAll("\r\n", "")).slice(0, -2);
  return front + inLines((await signText(key, signed)).match(/.{1,72}/g) ?? [], "", "");
}

const LINE_MAX = 76;

/** Words joined and folded: a line begins with a blank. */
function inLines(words: readonly string[], between: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const [index, word] of words.entries()) {
    const next = word + (index < words.length - 1 ? between : "");
    if (line !== "" && line.length + next.length > LINE_MAX) {
      lines.push(line);
      line = indent;
    }
    line += next;
  }
  return [...lines, line].join("\r\n ");
}
