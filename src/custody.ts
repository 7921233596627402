/**
 * Delivery after "accept", built by hand: the next hop, and with `nextHop.mode: queue` the spool in front of it and the runner behind. A
 * spool with mail in it is worked off in proxy mode, too.
 */
import { carrierOf } from "./carriage.ts";
import type { Config } from "./config/schema.ts";
import { startDeliverers } from "./deliverers.ts";
import { type Delivering, runQueue, spoolDir, spoolOptions } from "./delivering.ts";
import { archivingHop } from "./delivery/ad-archive.ts";
import { switchCarrier } from "./delivery/carrier/switch.ts";
import type { NextHop } from "./delivery/next-hop.ts";
import { nextHopOf } from "./delivery/open.ts";
import { confirmed } from "./delivery/queue/confirm.ts";
import { queueHop } from "./delivery/queue/hop.ts";
import type { Carrier } from "./delivery/queue/queued.ts";
import { noteReturned } from "./delivery/returned.ts";
import { isVerp, rewritingHop, srsOf, verpOf } from "./delivery/rewriting.ts";
import type { House } from "./house.ts";
import type { Log } from "./kit/log.ts";
import { Unavailable } from "./kit/trouble.ts";
import { copiesOf } from "./stores/open-ads.ts";
import { type OpenSpool, openSpool, type SpoolSize } from "./stores/spool/open.ts";
import { hasSpool } from "./stores/spool/place.ts";

/** Here, because main.ts chooses no stores. */
export { adDuty } from "./stores/open-ads.ts";

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

/** Owners that died are looked for so often. */
const RECOVER_MS = 5_000;

/** @throws Misuse when the next hop or the spool cannot be used */
export async function openCustody(house: House): Promise<Custody> {
  copiesOf(house, house.law.config);
  let hop = nextHopOf(house.law.config);
  let queue = needsQueue(house.law.config) ? await openQueue(house, () => hop, house.law.config) : undefined;
  const isLocal = (domain: string): boolean => house.law.site.isLocal(domain);
  const onTrouble = (error: unknown): void => house.log.warn({ err: error }, "a bounce could not be counted");
  const onReturned = noteReturned({ ...house, isLocal, onTrouble });
  const isQueueing = (): boolean => house.law.config.nextHop.mode === "queue";
  return {
    nextHop: () =>
      rewritingHop(queue && isQueueing() ? queue.front : hop, {
        srs: () => srsOf(house, house.law.config),
        verp: () => verpOf({ clock: house.clock, tables: house.store.tables }, house.law.config),
        ...{ isLocal, onReturned },
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

const needsQueue = (config: Config): boolean => config.nextHop.mode === "queue" || hasSpool(spoolDir(config));

interface Queue {
  readonly front: NextHop;
  /** Takes other ways from now on. */
  put(carrier: Carrier, graceMs: number): Promise<void>;
  size(): Promise<SpoolSize>;
  close(graceMs: number): Promise<void>;
}

async function openQueue(house: House, hop: () => NextHop, config: Config): Promise<Queue> {
  const { log } = house;
  const ways = switchCarrier(carrierOf(house, config));
  const spool = await openSpool(spoolOptions(house, "service"));
  try {
    await keepTime(spool, log);
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
    isVerp: (client) => isVerp(client, house.law.config),
    bring: (id) => runner.bring([id]),
    onQueued: () => runner.wake(),
    async ping() {
      await spool.ping();
      if (isElsewhere(house) && (await spool.helpers()) === 0) {
        throw new Unavailable("next-hop", "no process is there that delivers what the queue holds");
      }
    },
  });
  return {
    front,
    size: spool.size,
    async put(next, graceMs) {
      const before = runner;
      // Those that deliver begin anew, with what is in force now.
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

async function keepTime(spool: OpenSpool, log: Log): Promise<void> {
  const mails = await spool.keepTime();
  if (mails !== undefined)
    log.warn({ mails }, "the clock has gone back: mails that would have waited for it are brought back");
}

/** A store that only this process sees, or the configuration, may want that one process does it all. */
const isElsewhere = ({ law: { config } }: House): boolean =>
  config.queue.processes > 0 && config.store.url !== "memory:";

/** Has the mails of the spool tried, by this process or by others. */
function startDelivering(house: House, spool: OpenSpool, carrier: Carrier): Delivering {
  const { log } = house;
  const { path, text, config } = house.law;
  // Where several processes take mail in, one of them starts those that deliver; these look for what the others took in.
  const count = (house.worker ?? 1) === 1 ? config.queue.processes : 0;
  const those = isElsewhere(house)
    ? startDeliverers({
        ...{ count, path, text, log, onFigures: house.meter.absorb },
        onLeft: (id) => void confirmed({ spool, log }, id),
      })
    : runQueue(house, { spool, carrier });
  const recovering = setInterval(() => {
    Promise.all([keepTime(spool, log), spool.recover()]).catch((error: unknown) =>
      log.warn({ err: error }, "the queue cannot be put in order"),
    );
  }, RECOVER_MS).unref();
  return {
    wake: () => those.wake(),
    bring: (ids) => those.bring(ids),
    async close(graceMs) {
      clearInterval(recovering);
      await those.close(graceMs);
    },
  };
}
