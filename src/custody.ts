/**
 * Delivery after "accept", built by hand: the next hop, and with `nextHop.mode: queue` the spool in front of it and the runner behind. A
 * spool with mail in it is worked off in proxy mode, too.
 */
import { join } from "node:path";
import type { Config } from "./config/schema.ts";
import { readSecret } from "./config/secret.ts";
import { startDeliverers } from "./deliverers.ts";
import { archivingHop } from "./delivery/ad-archive.ts";
import { openCarrier } from "./delivery/carrier/open.ts";
import { switchCarrier } from "./delivery/carrier/switch.ts";
import { createFlightGate } from "./delivery/flight-gate.ts";
import type { NextHop } from "./delivery/next-hop.ts";
import { nextHopOf } from "./delivery/open.ts";
import { queueHop } from "./delivery/queue/hop.ts";
import type { Carrier, Gate, QueuedMail, Reporter } from "./delivery/queue/queued.ts";
import { type Runner, startRunner } from "./delivery/queue/runner.ts";
import { createReporter } from "./delivery/reports/reporter.ts";
import { leadingBack, rewritingHop } from "./delivery/rewriting.ts";
import { createSrs, type Srs } from "./delivery/srs.ts";
import type { House } from "./house.ts";
import type { Duty } from "./kit/duties.ts";
import { every } from "./kit/every.ts";
import type { Names } from "./kit/names.ts";
import { Unavailable } from "./kit/trouble.ts";
import { type Language, languagesOf } from "./mail/language.ts";
import { createFlights } from "./registers/flights.ts";
import type { AdCopies } from "./stores/ads/archive.ts";
import { adCopiesOf, keepDaysOf } from "./stores/open-ads.ts";
import { type OpenSpool, openSpool, type SpoolOptions, type SpoolSize } from "./stores/spool/open.ts";
import { hasSpool } from "./stores/spool/place.ts";
import type { WereEntered } from "./stores/spool/recovery.ts";

/** Where accepted mail goes. */
export interface Custody {
  /** In force now: a reload replaces it. */
  nextHop(): NextHop;
  /** A next hop, any, with the copies in front that laws ask advertising services to keep. */
  archived(hop: NextHop): NextHop;
  /** How much waits in the queue; undefined: there is none. */
  size(): Promise<SpoolSize | undefined>;
  /** Opens what another configuration needs; nothing changes yet. @throws Misuse: the old one stays */
  prepare(config: Config): Promise<CustodyChange>;
  /** Lets what is under way end, at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Another configuration's ways out, opened: one of the two is called, once. */
export interface CustodyChange {
  /** In force when it returns; resolves when the old ones are closed. */
  commit(): Promise<void>;
  drop(): void;
}

const MB = 1_048_576;
/** Owners that died are looked for so often. */
const RECOVER_MS = 5_000;

export const spoolDir = ({ dataDir }: Pick<Config, "dataDir">): string => join(dataDir, "spool");

/** @throws Misuse when the next hop or the spool cannot be used */
export async function openCustody(house: House): Promise<Custody> {
  copiesOf(house, house.law.config);
  let hop = nextHopOf(house.law.config);
  let queue = needsQueue(house.law.config) ? await openQueue(house, () => hop, house.law.config) : undefined;
  const isQueueing = (): boolean => house.law.config.nextHop.mode === "queue";
  return {
    nextHop: () =>
      rewritingHop(queue && isQueueing() ? queue.front : hop, {
        srs: () => srsOf(house, house.law.config),
        isLocal: (domain) => house.law.site.isLocal(domain),
      }),
    archived: (inner) =>
      archivingHop(inner, { archive: () => copiesOf(house, house.law.config), choice: () => house.law.choice }),
    size: async () => queue?.size(),
    async prepare(config) {
      copiesOf(house, config);
      const next = nextHopOf(config);
      const carrier = queue && carrierOf(house, config);
      if (needsQueue(config)) queue ??= await openQueue(house, () => hop, config);
      return {
        async commit() {
          const old = hop;
          hop = next;
          const { drainMs } = config.limits;
          await Promise.all([old.close(drainMs), carrier && queue?.put(carrier, drainMs)]);
        },
        drop() {
          void next.close(0);
          void carrier?.close(0);
        },
      };
    },
    async close(graceMs) {
      await queue?.close(graceMs);
      await hop.close(graceMs);
    },
  };
}

const rewriters = new WeakMap<Config, Srs>();

/** Rewrites senders of forwarded mail; undefined: the configuration leaves them as they are. */
function srsOf({ clock }: Pick<House, "clock">, config: Config): Srs | undefined {
  const { mode, domain = config.hostname.toLowerCase(), daysMax } = config.envelopeRewriting;
  if (mode === "off") return undefined;
  const srs = rewriters.get(config) ?? createSrs({ domain, secret: readSecret(config), nowMs: clock.now, daysMax });
  rewriters.set(config, srs);
  return srs;
}

const opened = new WeakMap<Config, AdCopies>();

/** The copies of a configuration; undefined: it keeps none. @throws Misuse when their key cannot be used */
function copiesOf({ clock }: House, config: Config): AdCopies | undefined {
  if (config.adArchive.keep === "off") return undefined;
  const copies = opened.get(config) ?? adCopiesOf(config, clock);
  opened.set(config, copies);
  return copies;
}

/** Copies of advertisements whose time is over are deleted, with an entry for each day. */
export const adDuty = (house: House): Duty => ({
  name: "ad copies",
  begin: async () =>
    every(SWEEP_MS, async () => {
      const { config, choice } = house.law;
      const removed = await copiesOf(house, config)
        ?.sweep(keepDaysOf(config, choice.active))
        .catch((error: unknown) => void house.log.warn({ err: error }, "old copies of advertisements stay"));
      for (const evidence of removed ?? []) {
        await house.recorder
          .record([{ event: "ad-archive-deleted", evidence }])
          .catch((error: unknown) => house.log.warn({ err: error }, "a deletion could not be written down"));
      }
    }),
});

const SWEEP_MS = 3_600_000;

const needsQueue = (config: Config): boolean => config.nextHop.mode === "queue" || hasSpool(spoolDir(config));

interface Queue {
  readonly front: NextHop;
  /** Takes other ways from now on. */
  put(carrier: Carrier, graceMs: number): Promise<void>;
  size(): Promise<SpoolSize>;
  close(graceMs: number): Promise<void>;
}

/** The ways out that a configuration names. @throws Misuse */
function carrierOf(house: House, config: Config): Carrier {
  const { log, clock } = house;
  const names: Names = {
    ask: (name, type) => {
      // A reload may have brought another one.
      const current = house.law.names;
      if (!current) return Promise.reject(new Unavailable("dns", "no server is configured"));
      return current.ask(name, type);
    },
  };
  const { tables } = house.store;
  const egressOf = (clientId: string) => house.gate.egressOf(clientId);
  const carrier = openCarrier(config, { names, log, clock, tables, egressOf });
  return leadingBack(carrier, { srs: () => srsOf(house, house.law.config) });
}

/** Reports in the languages of those who sent. */
function reporterOf(house: House): Reporter {
  const { ids, clock } = house;
  const config = () => house.law.config;
  const languagesFor = async ({ sender, session }: QueuedMail): Promise<[Language, ...Language[]]> => {
    const { reportLanguage } = config().queue;
    if (reportLanguage !== "auto") return [reportLanguage];
    const { clientId } = session;
    const client = clientId === undefined ? undefined : await house.clients.byId(clientId).catch(() => undefined);
    const packs = sender.address ? house.law.choice.for({ address: sender.address }, client ? { client } : {}) : [];
    return languagesOf(packs.map(({ country }) => country));
  };
  const from = () => config().queue.reportFrom ?? `mailer-daemon@${config().hostname}`;
  return createReporter({ hostname: () => config().hostname, from, languagesFor, ids, clock });
}

async function openQueue(house: House, hop: () => NextHop, config: Config): Promise<Queue> {
  const { log } = house;
  const ways = switchCarrier(carrierOf(house, config));
  const spool = await openSpool(spoolOptions(house, "service"));
  try {
    const found = await spool.recover();
    if (found.leases + found.arrived + found.forgotten > 0)
      log.info({ ...found }, "the queue is in order after a crash");
  } catch (error) {
    await spool.close();
    throw error;
  }
  const { carrier } = ways;
  let runner = startDelivering(house, spool, carrier);
  const front = queueHop({
    name: () => hop().name,
    spool,
    carrier,
    log,
    now: house.clock.now,
    settings: () => house.law.config.queue,
    onQueued: () => runner.wake(),
    ping: () => hop().ping(),
  });
  return {
    front,
    size: spool.size,
    async put(next, graceMs) {
      const before = runner;
      // Those that deliver read the configuration anew.
      runner = startDelivering(house, spool, carrier);
      await Promise.all([ways.put(next, graceMs), before.close(graceMs)]);
    },
    async close(graceMs) {
      await runner.close(graceMs);
      await carrier.close(graceMs);
      await spool.close();
    },
  };
}

interface Delivering extends Pick<Runner, "wake"> {
  close(graceMs: number): Promise<void>;
}

/** A store that only this process sees, or the configuration, may want that one process does it all. */
const isElsewhere = ({ law: { config } }: House): boolean =>
  config.queue.processes > 0 && config.store.url !== "memory:";

/** Has the mails of the spool tried, by this process or by others. */
function startDelivering(house: House, spool: OpenSpool, carrier: Carrier): Delivering {
  const { log } = house;
  const { path, config } = house.law;
  // Where several processes take mail in, one of them starts those that deliver; these look for what the others took in.
  const count = (house.worker ?? 1) === 1 ? config.queue.processes : 0;
  const those = isElsewhere(house)
    ? startDeliverers({ count, configPath: path, log })
    : runQueue(house, spool, carrier);
  const recovering = setInterval(() => {
    spool.recover().catch((error: unknown) => log.warn({ err: error }, "the queue cannot be put in order"));
  }, RECOVER_MS).unref();
  return {
    wake: () => those.wake(),
    async close(graceMs) {
      clearInterval(recovering);
      await those.close(graceMs);
    },
  };
}

/** Delivers what is in the spool of a service that runs in another process. */
export async function openDelivery(house: House): Promise<Delivering> {
  const carrier = carrierOf(house, house.law.config);
  const spool = await openSpool(spoolOptions(house, "helper"));
  const running = runQueue(house, spool, carrier);
  return {
    wake: running.wake,
    async close(graceMs) {
      await running.close(graceMs);
      await carrier.close(graceMs);
      await spool.close();
    },
  };
}

function runQueue(house: House, spool: OpenSpool, carrier: Carrier): Delivering {
  const { clock, log, ids, recorder } = house;
  const settings = () => house.law.config.queue;
  const runner = startRunner({
    spool,
    carrier,
    recorder,
    log,
    ids,
    now: clock.now,
    times: settings,
    hostname: () => house.law.config.hostname,
    isLocal: (domain) => house.law.site.isLocal(domain),
    attemptMaxMs: settings().attemptMaxMs,
    gate: refusalGate(house, settings().attemptMaxMs),
    deliveriesMax: settings().deliveriesMax,
    reporter: reporterOf(house),
    tellsHoldEnd: () => settings().holdNotice,
  });
  return {
    wake: runner.wake,
    async close(graceMs) {
      const left = await runner.stop(graceMs);
      if (left.length > 0) await spool.giveBack(left).catch(() => undefined);
    },
  };
}

/** Refusals that come while advertising waits, or is being tried; then what else customers' mail is asked. */
const refusalGate = ({ store, clock, consents, gate }: House, attemptMaxMs: number): Gate =>
  createFlightGate({
    flights: createFlights(store.tables, clock, { answerMs: () => attemptMaxMs }),
    consents,
    inner: gate,
    clock,
    attemptMaxMs,
  });

export function spoolOptions(house: House, role: SpoolOptions["role"]): SpoolOptions {
  const { config } = house.law;
  const { timeoutMs, inlineBytesMax, reserveMb, mailsMax } = config.queue;
  return {
    dir: spoolDir(config),
    timeoutMs,
    inlineBytesMax,
    mailsMax,
    reserveBytes: reserveMb * MB,
    now: house.clock.now,
    role,
    // Also those of a supervisor that was killed: they may end their mails while the next one's begin.
    ...(house.worker !== undefined && { service: "workers" }),
    wereEntered: enteredIn(house),
  };
}

/** A clock may have been set back meanwhile. */
const MARGIN_MS = 3_600_000;

/** Asks the journal: an hour leaves it a minute after its end at the earliest, and arriving mails are settled within seconds. */
const enteredIn =
  ({ journal }: House): WereEntered =>
  async (ids, sinceMs) => {
    const found = new Set<string>();
    for await (const { event, mailId } of journal.find({ sinceMs: sinceMs - MARGIN_MS })) {
      if ((event === "received" || event === "held") && mailId !== undefined && ids.has(mailId)) found.add(mailId);
    }
    return found;
  };
