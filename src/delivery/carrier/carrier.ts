/**
 * Takes mails of the queue to other servers: which route, which destination, one attempt. When, how often and with how many at
 * a time is the runner's matter; what became of it is said for each recipient.
 */
import { isIP } from "node:net";
import type { Clock } from "../../kit/clock.ts";
import { ipRanges } from "../../kit/ip.ts";
import type { Log } from "../../kit/log.ts";
import type { Recipient } from "../../mail/views.ts";
import type { Parcel } from "../next-hop.ts";
import type { Attempt, Carrier, QueuedMail } from "../queue/queued.ts";
import { type CourseParts, ownAttempt, type Trip, travel } from "./course.ts";
import { fitParcel, Unfit } from "./fitness.ts";
import { createLanes, type Lane } from "./lanes.ts";
import { intoHop } from "./over-next-hop.ts";
import { createPace } from "./pace.ts";
import { destinationOf, type Route, routeOf } from "./routes.ts";
import { type Waits, waitsOf } from "./waits.ts";
import { createWatch, type Watch, type Watched } from "./watch.ts";

export interface CarrierParts extends Omit<CourseParts, "now"> {
  readonly routes: readonly Route[];
  readonly waits: Waits;
  readonly clock: Clock;
  readonly log: Log;
  /** Attempts that take longer are named in the log. */
  readonly slowMs: number;
  /** The addresses a client's mail may leave from; absent, or undefined from it: those of the route. */
  egressOf?(clientId: string): readonly string[] | undefined;
}

export function createCarrier(parts: CarrierParts): Carrier {
  const { clock, log, slowMs, waits } = parts;
  const steadyMs = (): number => clock.steadyMs?.() ?? clock.now();
  const watch = createWatch({ log, slowMs, endMs: waits.attemptMs, now: steadyMs });
  const pace = createPace(steadyMs);
  const lanes = createLanes();
  const known = new Map<string, Route>();
  const routeFor = (mail: QueuedMail, recipient: Recipient): Route =>
    routeOf(parts.routes, mail.session.clientId, recipient.address.domain);
  const nameOf = (mail: QueuedMail, recipient: Recipient): string => {
    const route = routeFor(mail, recipient);
    const destination = destinationOf(route, recipient.address.domain);
    if (route.mailsPerMinute !== undefined || route !== parts.routes.at(-1)) remember(known, destination, route);
    return destination;
  };
  return {
    destinationOf: nameOf,
    widthOf(destination) {
      const { connectionsMax, mailsPerMinute } = known.get(destination) ?? (parts.routes.at(-1) as Route);
      const width = lanes.widthOf(destination, connectionsMax);
      if (mailsPerMinute === undefined) return width;
      // Those under way have had their share of the minute.
      return Math.min(width, watch.runningTo(destination) + pace.room(destination, mailsPerMinute));
    },
    async attempt(mail, recipients, parcel) {
      const [first] = recipients;
      if (!first) return [];
      const route = routeFor(mail, first);
      const destination = nameOf(mail, first);
      if (route.mailsPerMinute !== undefined) pace.took(destination, route.mailsPerMinute);
      const work = { mail, recipients, route, destination };
      const lane = lanes.enter(destination);
      try {
        // All tries together have the time of one attempt.
        const [left, sinceMs] = [waitsOf(waits), steadyMs()];
        const once = () => watched(watch, { ...work, sinceMs }, (trip) => go(parts, work, { ...trip, parcel, left }));
        const results = await untilLetIn(once, lane, () => left("greeting"));
        if (results.some(({ scope }) => scope !== "destination")) lane.gotThrough(route.connectionsMax);
        tell(log, work, results);
        return results;
      } finally {
        lane.leave();
      }
    },
    async close(graceMs) {
      // Those under way may still open what they need.
      await watch.idle(graceMs);
      await parts.pools.close(Math.min(graceMs, QUIT_MS_MAX));
      watch.stop();
      await Promise.all(parts.routes.flatMap(({ to }) => (to.kind === "hop" ? [to.hop.close(graceMs)] : [])));
    },
  };
}

/** Kept connections are told QUIT; what does not end by then is cut off. */
const QUIT_MS_MAX = 1_000;

/** A destination that turned a mail away is asked so often in one attempt, each time when another mail has left it. */
const TRIES_MAX = 5;

interface Once {
  readonly attempts: Attempt[];
  readonly isTurnedAway: boolean;
}

/** Waits for its turn where the destination has enough of us, and tries again. */
async function untilLetIn(once: () => Promise<Once>, lane: Lane, waitMs: () => number): Promise<Attempt[]> {
  for (let tries = TRIES_MAX; ; tries -= 1) {
    const { attempts, isTurnedAway } = await once();
    const isOpen = attempts.every(({ kind, scope }) => kind === "later" && scope === "destination");
    if (!isTurnedAway || !isOpen || tries <= 1 || !(await lane.turnedAway(waitMs()))) return attempts;
  }
}

/** Routes that are not the common one, by destination; who falls out has the common width. */
const KNOWN_MAX = 100_000;
function remember(known: Map<string, Route>, destination: string, route: Route): void {
  if (known.size >= KNOWN_MAX && !known.has(destination)) known.clear();
  known.set(destination, route);
}

interface Work {
  readonly mail: QueuedMail;
  readonly recipients: readonly Recipient[];
  readonly route: Route;
  readonly destination: string;
}

/** Runs an attempt under the eyes of the watch. */
async function watched(
  watch: Watch,
  { mail, recipients, destination, sinceMs }: Work & { readonly sinceMs: number },
  run: (trip: Omit<Trip, "parcel" | "left"> & { step(name: string): void }) => Promise<Attempt[]>,
): Promise<Once> {
  const attempt: Watched = {
    destination,
    mailId: mail.id,
    sinceMs,
    step: "DNS",
    server: undefined,
    connection: undefined,
  };
  const ended = watch.begin(attempt);
  let isTurnedAway = false;
  try {
    const attempts = await run({
      mail,
      recipients,
      step(name) {
        attempt.step = name;
      },
      turnedAway() {
        isTurnedAway = true;
      },
      using(connection, place) {
        attempt.connection = connection;
        attempt.server = place.name;
      },
    });
    return { attempts, isTurnedAway };
  } finally {
    ended();
  }
}

async function go(
  parts: CarrierParts,
  { mail, route, destination, recipients }: Work,
  trip: Trip & { step(name: string): void },
): Promise<Attempt[]> {
  const { clock, waits } = parts;
  const now = (): number => clock.now();
  const all = (attempt: Attempt): Attempt[] => recipients.map(() => attempt);
  const left = (step?: string): number => {
    trip.step(step ?? "");
    return trip.left(step);
  };
  let parcel: Parcel;
  try {
    parcel = route.to.kind === "hop" ? trip.parcel : fitParcel(trip.parcel);
  } catch (error) {
    if (error instanceof Unfit) return all(ownAttempt(error.word, now()));
    throw error;
  }
  if (route.to.kind === "hop") {
    return intoHop(route.to.hop, { ...trip, parcel, left }, { now, timeoutMs: waits.attemptMs });
  }
  const { clientId } = mail.session;
  const registered = clientId === undefined ? undefined : parts.egressOf?.(clientId);
  const egress = allowedOf(route.egress, registered);
  if (egress === null) return all(ownAttempt("no-egress", now()));
  const domain = recipients[0]?.address.domain ?? "";
  const { requireTls } = mail.sender;
  const places = await parts.places.of({ route, domain, destination, requireTls, egress });
  if (typeof places === "string") return all(ownAttempt(places, now()));
  return travel({ ...trip, parcel, left }, places, { ...parts, now });
}

/**
 * Where mail may leave from: what the route names and the client has registered.
 * @param registered undefined: the client has nothing registered and is not bound to anything
 * @returns empty: whatever the system chooses; null: nothing is allowed
 */
function allowedOf(named: readonly string[], registered: readonly string[] | undefined): readonly string[] | null {
  if (registered === undefined) return named;
  const ranges = ipRanges(registered);
  // A range is no address to leave from: of its addresses only those that the route names are ours for sure.
  const both = named.length === 0 ? registered.filter((each) => isIP(each) !== 0) : named.filter(ranges.has);
  return both.length > 0 ? both : null;
}

/** One line for each attempt that did not go well; no address stands in it. */
function tell(log: Log, { mail, destination }: Work, attempts: readonly Attempt[]): void {
  const bad = attempts.find(({ kind, scope }) => kind !== "delivered" && scope !== "recipient");
  if (!bad) return;
  const { kind, scope, reply, server } = bad;
  log.info(
    { mail: mail.id, destination, server, kind, scope, code: reply.code, enhanced: reply.enhanced },
    "not delivered",
  );
}
