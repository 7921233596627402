/**
 * The service: the house (house.ts) with its doors open. Every object is built by hand; that file and this one are the tour.
 */
import type { Admission } from "./admission/admission.ts";
import { type LagGauge, queueGauge, startLagGauge } from "./admission/gauges.ts";
import { openAdmission } from "./admission/open.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { readSealKey } from "./config/seal-key.ts";
import { adDuty, type Custody, openCustody } from "./custody.ts";
import type { NextHop } from "./delivery/next-hop.ts";
import { createExplainer, type Explainer } from "./desk/explainer.ts";
import { type DeskService, openDeskService } from "./desk/service.ts";
import type { Door } from "./doors/door.ts";
import { certificateOf, type DoorParts, openDoors } from "./doors/open.ts";
import type { Elsewhere } from "./doors/smtp/per-address.ts";
import { type House, ledgerDuty } from "./house.ts";
import { type Duties, startDuties } from "./kit/duties.ts";
import { every } from "./kit/every.ts";
import { createLease } from "./kit/lease.ts";
import { layDownLaw } from "./law-in-force.ts";
import type { Snapshot } from "./metrics/meter.ts";
import { readSelf } from "./metrics/process.ts";
import { renderMetrics } from "./metrics/render.ts";
import { warnOfClients } from "./registers/client-warnings.ts";
import { warnOfCodes } from "./registers/code-warnings.ts";
import { RULES } from "./rules/index.ts";

/** A running service. */
export interface Service {
  readonly addresses: readonly string[];
  /** Looks at another configuration and makes it ready; nothing changes yet. @throws Misuse with what is wrong with it */
  prepare(loaded: LoadedConfig): Promise<Change>;
  /** Puts another configuration in force; what is wrong with it is thrown and the old one stays. */
  reload(loaded: LoadedConfig): Promise<void>;
  /** Lets mails in progress end, then closes everything. */
  close(): Promise<void>;
}

/** Another configuration that is ready: one of the two is called, once. */
export interface Change {
  commit(): Promise<void>;
  drop(): void;
}

/** What stands round one of several workers. */
export interface Around {
  /** From 1. */
  readonly worker?: number;
  readonly elsewhere?: Elsewhere;
  /** The figures of all workers, its own among them. */
  readonly gather?: () => Promise<readonly Snapshot[]>;
}

/** Opens next hop and doors. @throws Misuse when an address is taken or a file cannot be read */
export async function openHouse(house: House, around: Around = {}): Promise<Service> {
  const { config } = house.law;
  readSealKey(config);
  const custody = await openCustody(house);
  const desk = keepingCopies(openDeskService(house, custody.nextHop), custody);
  /** The next hop in force, with the desk's mailbox in front. */
  let front = desk.inFrontOf(custody.nextHop(), true);
  const renew = (): void => {
    front = desk.inFrontOf(custody.nextHop(), true);
  };
  const { lag, admission } = watchLoad(house, custody);
  let draining = false;
  const parts = partsOf(house, around, { admission, isDraining: () => draining, nextHop: () => front });
  const doors = await openDoors(house, parts, desk).catch(async (error: unknown) => {
    void admission.stop();
    await custody.close(0);
    throw error;
  });
  const duties = dutiesOf(house, desk);
  readSelf(house.meter, {
    ...{ ...house, lag, admission, worker: around.worker ?? 0, queue: custody.size },
    connections: () => openAt(doors, config),
    keepsHouse: () => duties.ours,
  });
  const prepare = (loaded: LoadedConfig): Promise<Change> => prepareChange(house, loaded, { custody, renew, doors });
  return {
    addresses: doors.map((door) => door.address),
    prepare,
    reload: async (loaded) => (await prepare(loaded)).commit(),
    async close() {
      const { drainMs } = house.law.config.limits;
      draining = true;
      await Promise.all(doors.map((door) => door.close(drainMs)));
      await duties.stop();
      await desk.close();
      await custody.close(drainMs);
      admission.stop();
      await house.close();
    },
  };
}

interface Inside {
  readonly admission: Admission;
  readonly isDraining: () => boolean;
  readonly nextHop: () => NextHop;
}

/** What doors ask the house, in force at the moment they ask. */
const partsOf = (house: House, around: Around, { nextHop, ...inside }: Inside): DoorParts => ({
  ...house,
  ...inside,
  elsewhere: around.elsewhere,
  metrics: async () => renderMetrics((await around.gather?.()) ?? [await house.meter.snapshot()]),
  quotas: house.store.windows,
  explainer: explainerOf(house),
  get pipeline() {
    return house.law.pipeline;
  },
  get nextHop() {
    return nextHop();
  },
  get hostname() {
    return house.law.config.hostname;
  },
  get sealing() {
    return house.law.sealing;
  },
  get signing() {
    return house.law.signing?.sign;
  },
  get receivedMax() {
    return house.law.config.limits.receivedMax;
  },
  get explainAt() {
    const { explain, refusals } = house.law.config;
    return explain.link && refusals.publicUrl ? `${refusals.publicUrl}/explain/` : undefined;
  },
  isLocal: (domain) => house.law.site.isLocal(domain),
});

/** Reads the ledger for whoever opens the link in a refusal. */
const explainerOf = (house: House): Explainer =>
  createExplainer({
    ...house,
    rules: RULES,
    law: () => {
      const { config, packs } = house.law;
      const { hostname, explain, queue } = config;
      const { perMinuteMax } = explain;
      return { packs, hostname, perMinuteMax, lifetimeMs: queue.lifetimeHours * HOUR_MS };
    },
  });

/** What can be short, and who is let in meanwhile. */
function watchLoad(house: House, custody: Custody): { lag: LagGauge; admission: Admission } {
  const inForce = () => house.law.config;
  const lag = startLagGauge();
  const { log } = house;
  const admission = openAdmission({ dataDir: inForce().dataDir, lag, limits: () => inForce().overload, log });
  const waiting = async () => (await custody.size())?.mails;
  admission.watch(queueGauge(waiting, () => inForce().queue.mailsMax));
  return { lag, admission };
}

/** Open connections at each kind of door. */
function openAt(doors: readonly Door[], { listeners }: Config): [string, number][] {
  const counts = new Map<string, number>();
  for (const [index, { door: kind }] of listeners.entries()) {
    const count = doors[index]?.connections?.();
    if (count !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + count);
  }
  return [...counts];
}

/** Whatever stands behind the desk: copies are kept in front of it, at every door. */
const keepingCopies = (desk: DeskService, custody: Custody): DeskService => ({
  ...desk,
  inFrontOf: (hop, swallows) => desk.inFrontOf(custody.archived(hop), swallows),
});

interface Changing {
  readonly custody: Custody;
  /** Takes the next hop that is in force now. */
  readonly renew: () => void;
  readonly doors: readonly Door[];
}

/** Everything that can go wrong goes wrong here, before anything has changed. */
async function prepareChange(house: House, loaded: LoadedConfig, { custody, renew, doors }: Changing): Promise<Change> {
  const { config } = loaded;
  const law = layDownLaw(loaded, house);
  const certificate = certificateOf(config);
  const way = await custody.prepare(config);
  const lists = await house.lists.prepare(config.lists).catch((error: unknown) => {
    way.drop();
    throw error;
  });
  return {
    drop() {
      lists.drop();
      law.names?.close();
      way.drop();
    },
    async commit() {
      lists.commit();
      const oldNames = house.law.names;
      house.law = law;
      if (certificate) for (const door of doors) door.renew(certificate);
      const changed = way.commit();
      renew();
      await changed;
      oldNames?.close();
    },
  };
}

/** What one process of this machine does for all, see kit/duties.ts. */
function dutiesOf(house: House, desk: DeskService): Duties {
  const { store, clock, ids, log, ledger } = house;
  const key = { partition: ledger.node, id: "keeper" };
  return startDuties({
    lease: createLease(store.tables, clock, { key, owner: ids.next(), ttlMs: LEASE_MS }),
    ttlMs: LEASE_MS,
    duties: [
      ledgerDuty(house),
      adDuty(house),
      desk.rounds,
      {
        name: "codes",
        begin: async () =>
          every(DAY_MS, async () => {
            await warnOfCodes(house.codes, house.law.choice.active, log);
            await warnOfClients(house.clients, { clock, log, under: house.law.choice.under });
          }),
      },
    ],
    onChange: (ours) => log.debug({ ours }, ours ? "this process keeps the house" : "another process keeps the house"),
    onError: (error, duty) => log.warn({ err: error, duty }, "keeping the house: tried again soon"),
  });
}

/** So long after the process that keeps the house was killed, another one does. */
const LEASE_MS = 30_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
