/**
 * DKIM signatures on mail of our own clients and on our own letters (RFC 6376), made when all edits are known, so that what is signed is what goes on: label and
 * List-Unsubscribe included. A client signs only as domains that are registered for it, whatever else is watched or off.
 */
import { type Signer, signDkim } from "../authenticity/dkim/sign.ts";
import type { SignedMail } from "../authenticity/dkim/verify.ts";
import { signedMailOf } from "../authenticity/judge.ts";
import { readDkimKeys } from "../config/dkim-keys.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../kit/clock.ts";
import type { Client } from "../mail/client.ts";
import type { Content } from "../mail/content.ts";
import { type DomainList, domainList } from "../mail/domains.ts";
import { editHeader, type HeaderEdit } from "../mail/edits.ts";
import { Headers } from "../mail/headers.ts";
import { addressesIn } from "../mail/mailboxes.ts";
import { organisationOf } from "../mail/organisation.ts";
import type { Session } from "../mail/views.ts";

/** A mail as it leaves. */
export interface Leaving {
  readonly session: Session;
  readonly headers: Headers;
  readonly content: Content;
  readonly edits: readonly HeaderEdit[];
}

export interface Signing {
  /** The fields to put on top; none for strangers, and for mail whose From has no key. */
  sign(mail: Leaving): Promise<readonly HeaderEdit[]>;
  /** Will mail of this sender, with that domain in From, be signed for a domain aligned with it? */
  signs(session: Session, author: string): boolean;
  /**
   * A mail that we wrote ourselves, a report or a letter of the desk, as it leaves: signed where its From has a key.
   * @param whole header block and body, lines ended by CRLF
   */
  own(whole: Buffer): Promise<Buffer>;
}

/** Most signatures of one mail: an old and a new key of both kinds. */
const SIGNATURES_MAX = 4;

/**
 * @param isLocal domains that hosts of `relayNetworks`, which are no clients, may sign as
 * @throws Misuse when a key cannot be read; undefined where there is none
 */
export function openSigning(
  config: Pick<Config, "dkim" | "dataDir">,
  { clock, isLocal }: { clock: Clock; isLocal: (domain: string) => boolean },
): Signing | undefined {
  const keys = Map.groupBy(readDkimKeys(config), ({ domain }) => domain);
  if (keys.size === 0) return undefined;
  const signersFor = (session: Session, author: string | undefined): readonly Signer[] => {
    if (author === undefined || !mayWriteAs(session, author, isLocal)) return [];
    return (nearest(keys, author) ?? []).slice(0, SIGNATURES_MAX);
  };
  const fieldsFor = async (mail: SignedMail, signers: readonly Signer[]): Promise<HeaderEdit[]> => {
    const values = await signDkim(mail, signers, clock.now());
    return values.map((value) => ({ kind: "add", name: "DKIM-Signature", value }));
  };
  return {
    signs: (session, author) => signersFor(session, author).length > 0,
    async sign({ session, headers, content, edits }) {
      if (!session.client && !session.inRelayNetworks) return [];
      const signers = signersFor(session, authorOf(headers));
      if (signers.length === 0) return [];
      const { block, added } = editHeader(content.header, edits);
      const leaving = added.length === 0 ? block : Buffer.concat([added, block]);
      return fieldsFor({ ...signedMailOf(headers, content), headers: Headers.parse(leaving), block: leaving }, signers);
    },
    async own(whole) {
      const block = whole.subarray(0, whole.indexOf("\r\n\r\n") + 4);
      const headers = Headers.parse(block);
      const author = authorOf(headers);
      const signers = (author === undefined ? undefined : nearest(keys, author)) ?? [];
      if (signers.length === 0) return whole;
      const mail = { headers, block, body: whole.subarray(block.length) };
      const fields = await fieldsFor(mail, signers.slice(0, SIGNATURES_MAX));
      return Buffer.concat([editHeader(block, fields).added, whole]);
    },
  };
}

/** Of several authors nobody can be the one who signs. */
function authorOf(headers: Headers): string | undefined {
  const [first, ...more] = new Set(addressesIn(headers, "from").map(({ domain }) => domain));
  return more.length > 0 ? undefined : first;
}

/** Keys of the domain itself, else of the nearest above it within its organisation (relaxed alignment). */
function nearest(keys: ReadonlyMap<string, readonly Signer[]>, author: string): readonly Signer[] | undefined {
  const top = organisationOf(author);
  for (let domain = author; domain.length >= top.length; domain = domain.slice(domain.indexOf(".") + 1)) {
    const found = keys.get(domain);
    if (found || domain === top || !domain.includes(".")) return found;
  }
  return undefined;
}

const compiled = new WeakMap<Client, DomainList>();

function mayWriteAs(
  { client, inRelayNetworks }: Session,
  domain: string,
  isLocal: (domain: string) => boolean,
): boolean {
  if (!client) return inRelayNetworks && isLocal(domain);
  const owned = compiled.get(client) ?? domainList(client.domains);
  compiled.set(client, owned);
  return owned.has(domain);
}
