/**
 * One attempt: the places of a destination one after the other, until every recipient has an answer that another server
 * would not change, or the time or the number of servers is used up.
 */
import type { Recipient, Sender } from "../../mail/views.ts";
import type { Parcel } from "../next-hop.ts";
import { type Meaning, meaningOf, meaningOfTrouble } from "../queue/classify.ts";
import { isOwnWord, OWN_WORDS, type OwnWord } from "../queue/own-words.ts";
import type { Attempt, QueuedMail } from "../queue/queued.ts";
import { Broken } from "../smtp/broken.ts";
import type { Connection } from "../smtp/connection.ts";
import type { Left } from "../smtp/greet.ts";
import { type Fate, isDelivered, transact } from "../smtp/transact.ts";
import { hasEightBit, needsUtf8, Unfit } from "./fitness.ts";
import { type Place, type Places, withoutTls } from "./places.ts";
import type { Loan, Pools } from "./pools.ts";

export interface CourseParts {
  readonly pools: Pools;
  readonly places: Places;
  /** Servers that are spoken to in one attempt, at most; those that cannot be reached do not count. */
  readonly sessionsMax: number;
  readonly recipientsPerMailMax: number;
  /** Send 8-bit text to servers that do not offer 8BITMIME. */
  readonly eightBitAnyway: boolean;
  now(): number;
}

export interface Trip {
  readonly mail: QueuedMail;
  readonly recipients: readonly Recipient[];
  readonly parcel: Parcel;
  readonly left: Left;
  /** Told when a server turns us away at the door, as one does that has enough connections. */
  turnedAway(): void;
  /** Told which connection is in use, for whoever watches. */
  using(connection: Connection | undefined, place: Place): void;
}

/** What one recipient has so far. */
interface Standing {
  readonly attempt: Attempt;
  /** Another server may say something else. */
  readonly isOpen: boolean;
}

export async function travel(trip: Trip, places: readonly Place[], parts: CourseParts): Promise<Attempt[]> {
  const standings: (Standing | undefined)[] = trip.recipients.map(() => undefined);
  let sessions = 0;
  for (const place of inReach(places, parts.pools)) {
    const open = trip.recipients.flatMap((_, index) => (standings[index]?.isOpen === false ? [] : [index]));
    if (open.length === 0 || sessions >= parts.sessionsMax) break;
    const visit = await visitAt(place, open, { trip, parts });
    if (visit.isReached) sessions += 1;
    for (const [i, index] of open.entries()) standings[index] = better(standings[index], visit.standings[i]);
  }
  return standings.map((standing) => standing?.attempt ?? ownAttempt("not-connected", parts.now()));
}

/** @param word why nothing was tried */
export function ownAttempt(word: OwnWord, at: number): Attempt {
  const reply = OWN_WORDS[word];
  const kind = reply.code >= 500 ? "failed" : "later";
  return { kind, reply, scope: ABOUT_MAIL.has(word) ? "mail" : "destination", at };
}
const ABOUT_MAIL: ReadonlySet<OwnWord> = new Set([
  "requiretls-mx",
  "unread",
  "long-line",
  "bare-newline",
  "eight-bit",
  "busy",
]);

/** Among hosts of the first's preference, one with a kept connection goes first. */
function inReach(places: readonly Place[], pools: Pools): readonly Place[] {
  const kept = places.find(({ server }) => pools.hasIdle(server));
  return kept ? [kept, ...places.filter((place) => place !== kept)] : places;
}

/** What a server said counts more than that another could not be reached. */
function better(old: Standing | undefined, latest: Standing | undefined): Standing | undefined {
  if (!old || !latest) return latest ?? old;
  return latest.isOpen && isOwnWord(latest.attempt.reply) ? old : latest;
}

interface Visit {
  readonly isReached: boolean;
  /** One for each recipient asked about. */
  readonly standings: readonly Standing[];
}

interface Luggage {
  readonly trip: Trip;
  readonly parts: CourseParts;
}

async function visitAt(place: Place, open: readonly number[], luggage: Luggage): Promise<Visit> {
  const { parts, trip } = luggage;
  try {
    return await visitOn(place, open, luggage);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    if (place.mayFallBack && TLS_STEPS.includes(error.step)) {
      parts.places.hadNoTls(place);
      return visitAt(withoutTls(place), open, luggage);
    }
    if (error.step === "connecting" && error.how !== "ours") parts.places.wasAway(place);
    if (isTurnedAway(error)) trip.turnedAway();
    const standing = standingOf(
      meaningOfTrouble(error),
      { broken: error },
      { place, at: parts.now(), connection: undefined },
    );
    return { isReached: error.step !== "connecting", standings: open.map(() => standing) };
  } finally {
    trip.using(undefined, place);
  }
}

const isTurnedAway = ({ step, how, said }: Broken): boolean =>
  step === "greeting" && (how === "closed" || (said !== undefined && said.code >= 400 && said.code < 500));

/** What breaks there may go well in clear text. */
const TLS_STEPS: readonly string[] = ["STARTTLS", "TLS handshake"];

/** @throws Broken when the server cannot be had */
async function visitOn(place: Place, open: readonly number[], { trip, parts }: Luggage): Promise<Visit> {
  const standings: Standing[] = [];
  for (let from = 0; from < open.length; from += parts.recipientsPerMailMax) {
    const some = open
      .slice(from, from + parts.recipientsPerMailMax)
      .map((index) => trip.recipients[index] as Recipient);
    try {
      standings.push(...(await handOver(place, some, { trip, parts })));
    } catch (error) {
      // What those before were told stands; the others have another try.
      if (!(error instanceof Broken) || from === 0) throw error;
      const trouble = standingOf(
        meaningOfTrouble(error),
        { broken: error },
        { place, at: parts.now(), connection: undefined },
      );
      standings.push(...open.slice(from).map(() => trouble));
      break;
    }
  }
  return { isReached: true, standings };
}

async function handOver(place: Place, recipients: readonly Recipient[], luggage: Luggage): Promise<Standing[]> {
  const { trip, parts } = luggage;
  const loan = await parts.pools.borrow(place.server, trip.left);
  let fates = await letterOn(loan, { place, recipients, ...luggage });
  const { connection } = loan;
  if (connection.isReused && !connection.isAnswered && connection.isLost) {
    // It had died while it was kept; the server has heard nothing of this mail.
    const fresh = await parts.pools.borrow(place.server, trip.left, true);
    fates = await letterOn(fresh, { place, recipients, ...luggage });
    return fates.map((fate) =>
      standingOf(meaningOf(fate), fate, { place, at: parts.now(), connection: fresh.connection }),
    );
  }
  return fates.map((fate) => standingOf(meaningOf(fate), fate, { place, at: parts.now(), connection }));
}

async function letterOn(
  loan: Loan,
  { place, recipients, trip, parts }: Luggage & { place: Place; recipients: readonly Recipient[] },
): Promise<Fate[]> {
  const { mail, parcel, left } = trip;
  trip.using(loan.connection, place);
  const lacksEightBit = async ({ extensions }: Connection) =>
    !extensions.eightBit && !parts.eightBitAnyway && (await hasEightBit(parcel)) ? OWN_WORDS["eight-bit"] : undefined;
  try {
    const { lmtp } = place.server;
    const sender = await senderFor(loan.connection, mail.sender, { recipients, parcel });
    const letter = { session: mail.session, sender, mailId: mail.id, recipients, parcel };
    const fates = await transact(loan.connection, letter, {
      lmtp,
      xforward: place.isOwn,
      left,
      refuses: lacksEightBit,
    });
    if (fates.some((fate) => meaningOf(fate).name === "nonsense")) {
      // Who answers what was not asked cannot be spoken to any further.
      loan.connection.fail(
        new Broken({ name: place.server.name, step: "MAIL" }, "garbled", { what: "an answer that is none" }),
      );
    }
    loan.giveBack(fates.some((fate) => "reply" in fate && fate.step === "end of the mail"));
    return fates;
  } catch (error) {
    loan.connection.fail(
      new Broken({ name: place.server.name, step: "reading the mail" }, "ours", { what: "not finished" }),
    );
    const word = error instanceof Unfit ? error.word : "unread";
    return recipients.map(() => ({ step: "reading the mail", reply: OWN_WORDS[word], isOurs: true }));
  }
}

/** Without the word SMTPUTF8 where the server does not know it and the mail does not need it. */
async function senderFor(
  { extensions }: Connection,
  sender: Sender,
  { recipients, parcel }: { recipients: readonly Recipient[]; parcel: Parcel },
): Promise<Sender> {
  if (!sender.smtpUtf8 || extensions.smtpUtf8) return sender;
  const addresses = [sender.address?.text ?? "", ...recipients.map(({ address }) => address.text)];
  return (await needsUtf8(parcel, addresses)) ? sender : { ...sender, smtpUtf8: false };
}

interface Circumstances {
  readonly place: Place;
  readonly at: number;
  readonly connection: Connection | undefined;
}

function standingOf(meaning: Meaning, fate: Fate, { place, at, connection }: Circumstances): Standing {
  const { kind, reply, scope } = meaning;
  const isConnected = connection !== undefined || ("broken" in fate && fate.broken.step !== "connecting");
  const ip = connection?.remoteIp ?? ("host" in place.server.endpoint ? place.server.endpoint.host : undefined);
  const attempt: Attempt = {
    kind,
    reply,
    scope,
    at,
    ...(isConnected && { server: place.name, ...(ip !== undefined && { serverIp: ip }) }),
    ...(meaning.name === "we-are-blocked" && { isBlock: true as const }),
    ...(isDelivered(fate) && place.server.lmtp && { isFinal: true as const }),
    ...(isDelivered(fate) && connection?.extensions.dsn && { tellsSender: true as const }),
  };
  return { attempt, isOpen: isOpen(meaning, fate) };
}

/** Once the dot may have been sent, another server could deliver it twice; what a mailbox is refused for is the same everywhere. */
function isOpen({ kind, scope }: Meaning, fate: Fate): boolean {
  if (kind === "delivered") return false;
  if ("broken" in fate) return !["sending the mail", "end of the mail"].includes(fate.broken.step);
  if (fate.isOurs) return false;
  return kind === "later" && scope === "destination" && fate.step !== "end of the mail";
}
