/**
 * Return addresses that tell which recipient a bounce is about (VERP), sealed like those of srs.ts:
 *
 *   bounce+seal day who=local=domain@ours       who: ten characters for the sender, and for whose advertisement it is
 *   bounce+seal day who=whom@ours               where the recipient's address does not fit into 64 characters
 *
 * Whom the characters stand for lies in the store, one record for each sender and not for each mail, until no bounce is taken any more.
 */
import { createRecent } from "../kit/recent.ts";
import type { Tables, Value } from "../kit/store.ts";
import type { Address } from "../mail/address.ts";
import { parseAddress } from "../mail/path.ts";
import { createSealing } from "./sealed.ts";

/** What a bounce is about. */
export interface Returned {
  /** Who sent the mail, and gets the bounce. */
  readonly sender: Address;
  /** To whom it had gone. */
  readonly recipient: Address;
  readonly client: string;
  /** Whose advertisement it was, where it was one. */
  readonly advertiser?: string;
}

export interface Verp {
  /**
   * The return address of one copy of a mail.
   * @returns undefined: it stays as it is, as another sender has the same ten characters. @throws Unavailable
   */
  write(of: Returned): Promise<Address | undefined>;
  /** @returns "bad": of ours, but sealed by nobody here, too old or forgotten; undefined: not such an address. @throws Unavailable */
  read(recipient: Address): Promise<Returned | "bad" | undefined>;
  /** Forgets senders from whom no bounce is taken any more. */
  tidy(): Promise<void>;
}

export interface VerpParts {
  /** The domain that bounces come back to. */
  readonly domain: string;
  readonly secret: Buffer;
  readonly nowMs: () => number;
  /** Bounces are taken for so long. */
  readonly daysMax: number;
  readonly tables: Tables;
}

const TABLE = "return-addresses";
const DAY_MS = 86_400_000;
const WHO_CHARACTERS = 10;
/** RFC 5321 4.5.3.1.1. */
const LOCAL_MAX = 64;
/** Dot-atoms of ASCII: anything else would need quotes, or SMTPUTF8 where the mail may not have it. */
const PLAIN = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;
const SHAPE = /^bounce\+([a-z2-7]{8})([a-z2-7]{2})([a-z2-7]{10})=(.+)$/i;
/** Records that this process knows to be there. */
const KNOWN_MAX = 50_000;

interface Kept {
  readonly address: string;
  readonly client?: string;
  readonly advertiser?: string;
}

export function createVerp({ domain, secret, nowMs, daysMax, tables }: VerpParts): Verp {
  const { seal, isSealed, digest, today, ageOf } = createSealing("verp", secret, nowMs);
  const shelf = createShelf(tables, nowMs, daysMax);
  const remember = async (record: Kept): Promise<string | undefined> => {
    const who = digest(JSON.stringify([record.address, record.client, record.advertiser]), WHO_CHARACTERS);
    return (await shelf.keep(who, record)) ? who : undefined;
  };
  return {
    tidy: shelf.tidy,
    async write({ sender, recipient, client, advertiser }) {
      const who = await remember({ address: sender.text, client, ...(advertiser !== undefined && { advertiser }) });
      if (who === undefined) return undefined;
      const day = today();
      const addressOf = (to: string): Address | undefined => {
        const local = `bounce+${seal(`${day}${who} ${to}`)}${day}${who}=${to}`;
        return local.length > LOCAL_MAX ? undefined : parseAddress(`${local}@${domain}`);
      };
      const plain = PLAIN.test(recipient.local) ? addressOf(`${recipient.local}=${recipient.domain}`) : undefined;
      if (plain) return plain;
      const whom = await remember({ address: recipient.text });
      return whom === undefined ? undefined : addressOf(whom);
    },
    async read({ local, domain: to }) {
      const [, given = "", day = "", who = "", whom = ""] = (to === domain && SHAPE.exec(local)) || [];
      if (given === "") return undefined;
      if (!isSealed(`${day}${who} ${whom}`, given) || ageOf(day) > daysMax) return "bad";
      const from = await shelf.find(who);
      const at = whom.lastIndexOf("=");
      const text = at > 0 ? `${whom.slice(0, at)}@${whom.slice(at + 1)}` : (await shelf.find(whom))?.address;
      const [sender, recipient] = [from && parseAddress(from.address), text && parseAddress(text)];
      if (!sender || !recipient || from?.client === undefined) return "bad";
      const { client, advertiser } = from;
      return { sender, recipient, client, ...(advertiser !== undefined && { advertiser }) };
    },
  };
}

/** Records by their characters; each is written again once a day while it is used. */
function createShelf(tables: Tables, nowMs: () => number, daysMax: number) {
  const known = createRecent<string>(KNOWN_MAX);
  const keyOf = (who: string) => ({ partition: who.toLowerCase(), id: "of" });
  return {
    /** @returns false when they stand for somebody else */
    async keep(who: string, record: Kept): Promise<boolean> {
      const text = JSON.stringify(record);
      const there = known.get(who, nowMs());
      if (there !== undefined) return there === text;
      const row = readRow((await tables.get(TABLE, keyOf(who)))?.value);
      const isTaken =
        row !== undefined && JSON.stringify(row.record) !== text && row.seenMs > nowMs() - daysMax * DAY_MS;
      if (isTaken) return false;
      await tables.put(TABLE, keyOf(who), { record, seenMs: nowMs() } as unknown as Value);
      known.set(who, text, nowMs() + DAY_MS);
      return true;
    },
    find: async (who: string): Promise<Kept | undefined> =>
      readRow((await tables.get(TABLE, keyOf(who)))?.value)?.record,
    async tidy(): Promise<void> {
      // A record is written once a day, and the last address of that day lives daysMax days.
      const oldestMs = nowMs() - (daysMax + 2) * DAY_MS;
      for await (const { key, value } of tables.scan(TABLE)) {
        if ((readRow(value)?.seenMs ?? 0) < oldestMs) await tables.remove(TABLE, key);
      }
    },
  };
}

function readRow(value: Value | undefined): { readonly record: Kept; readonly seenMs: number } | undefined {
  if (typeof value !== "object" || value === null || !("record" in value)) return undefined;
  return value as unknown as { record: Kept; seenMs: number };
}
