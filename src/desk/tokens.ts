/**
 * What a link or a Subject carries so that a click or a reply can be believed: who means whom, encrypted and authenticated with
 * the site's secret (AES-256-GCM). Nobody can make one, change one, or read an address out of one.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { Clock } from "../kit/clock.ts";

/** `refuse`: the recipient wants no more of this advertiser; `agree`: he says yes to a request that was made. */
export type TokenKind = "refuse" | "agree";

export interface Meaning {
  readonly kind: TokenKind;
  /** Client id of the advertiser, or the domain that writes as From. */
  readonly advertiser: string;
  /** Address key; absent in mail that went to several recipients: then the one who writes is meant. */
  readonly recipient?: string;
  readonly madeAtMs: number;
}

export interface Tokens {
  /** 43 characters and more of letters, digits, "-" and "_". */
  make(meaning: Omit<Meaning, "madeAtMs">): string;
  /** undefined: not ours, changed, or a request that is over. A refusal never expires (Order 38 art. 14: at least 30 days). */
  read(token: string): Meaning | undefined;
  /** The first token of ours in a text, such as a Subject that a mail program has folded or prefixed. */
  find(text: string): Meaning | undefined;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORM = /[A-Za-z0-9_-]{43,1000}/g;
/** Candidates looked at in one text. */
const FOUND_MAX = 20;
const LETTERS: Readonly<Record<TokenKind, string>> = { refuse: "r", agree: "a" };

/**
 * @param secret the site's, shared by all nodes, at least 16 bytes
 * @param requestDays how long a request for consent may be answered
 */
export function createTokens(secret: Buffer, clock: Clock, requestDays: number): Tokens {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "consentry refusal and consent tokens", 32));
  const read = (token: string): Meaning | undefined => {
    const meaning = parse(open(key, Buffer.from(token, "base64url")));
    const isOver = meaning?.kind === "agree" && clock.now() - meaning.madeAtMs > requestDays * 86_400_000;
    return isOver ? undefined : meaning;
  };
  return {
    read,
    make: ({ kind, advertiser, recipient = "" }) => {
      const fields = [LETTERS[kind], Math.floor(clock.now() / 1000).toString(36), advertiser, recipient];
      return seal(key, fields.join("\n")).toString("base64url");
    },
    find(text) {
      // Folding puts blanks between the halves of a long word; what is glued by taking them out fails its check.
      for (const candidate of [...text.matchAll(FORM), ...text.replace(/\s+/g, "").matchAll(FORM)].slice(
        0,
        FOUND_MAX,
      )) {
        const meaning = read(candidate[0]);
        if (meaning) return meaning;
      }
      return undefined;
    },
  };
}

function seal(key: Buffer, text: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  return Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Buffer, sealed: Buffer): string | undefined {
  if (sealed.length <= IV_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

function parse(text: string | undefined): Meaning | undefined {
  const [letter, seconds = "", advertiser = "", recipient = ""] = text?.split("\n") ?? [];
  const kind = letter === LETTERS.refuse ? "refuse" : letter === LETTERS.agree ? "agree" : undefined;
  if (!kind || !advertiser) return undefined;
  return { kind, advertiser, ...(recipient && { recipient }), madeAtMs: Number.parseInt(seconds, 36) * 1000 };
}
