/**
 * The service: the house (house.ts) with its doors open. Every object is built by hand; that file and this one are the tour.
 */
import { startLagGauge } from "./admission/gauges.ts";
import { openAdmission } from "./admission/open.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { readSealKey } from "./config/seal-key.ts";
import type { NextHop } from "./delivery/next-hop.ts";
import { nextHopOf } from "./delivery/open.ts";
import { type DeskService, openDeskService } from "./desk/service.ts";
import type { Door } from "./doors/door.ts";
import { certificateOf, type DoorParts, openDoors } from "./doors/open.ts";
import type { Elsewhere } from "./doors/smtp/per-address.ts";
import { type House, layDownLaw, ledgerDuty } from "./house.ts";
import { type Duties, startDuties } from "./kit/duties.ts";
import { every } from "./kit/every.ts";
import { createLease } from "./kit/lease.ts";
import type { Snapshot } from "./metrics/meter.ts";
import { readSelf } from "./metrics/process.ts";
import { renderMetrics } from "./metrics/render.ts";
import { warnOfCodes } from "./registers/code-warnings.ts";

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

/** What a reload puts in another's place. */
interface InForce {
  nextHop: NextHop;
  /** The same with the desk's mailbox in front. */
  front: NextHop;
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
  const nextHop = nextHopOf(config);
  const desk = openDeskService(house, () => inForce.nextHop);
  const inForce: InForce = { nextHop, front: desk.inFrontOf(nextHop, true) };
  const lag = startLagGauge();
  const admission = openAdmission({
    dataDir: config.dataDir,
    lag,
    limits: () => house.law.config.overload,
    log: house.log,
  });
  let draining = false;
  const parts: DoorParts = {
    ...house,
    elsewhere: around.elsewhere,
    admission,
    isDraining: () => draining,
    metrics: async () => renderMetrics((await around.gather?.()) ?? [await house.meter.snapshot()]),
    quotas: house.store.windows,
    get pipeline() {
      return house.law.pipeline;
    },
    get nextHop() {
      return inForce.front;
    },
    get hostname() {
      return house.law.config.hostname;
    },
    sealing: async (...asked) => (await house.law.sealing?.(...asked)) ?? [],
    get receivedMax() {
      return house.law.config.limits.receivedMax;
    },
    isLocal: (domain) => house.law.site.isLocal(domain),
  };
  const doors = await openDoors(house, parts, desk);
  const duties = dutiesOf(house, desk);
  readSelf(house.meter, {
    worker: around.worker ?? 0,
    lag,
    admission,
    journal: house.journal,
    nowMs: house.clock.now,
    keepsHouse: () => duties.ours,
    connections: () => openAt(doors, config),
  });
  const prepare = (loaded: LoadedConfig): Promise<Change> => prepareChange(house, loaded, { inForce, desk, doors });
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
      await inForce.nextHop.close(drainMs);
      admission.stop();
      await house.close();
    },
  };
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

interface Changing {
  readonly inForce: InForce;
  readonly desk: DeskService;
  readonly doors: readonly Door[];
}

/** Everything that can go wrong goes wrong here, before anything has changed. */
async function prepareChange(house: House, loaded: LoadedConfig, { inForce, desk, doors }: Changing): Promise<Change> {
  const { config } = loaded;
  const law = layDownLaw(loaded, house);
  const certificate = certificateOf(config);
  const next = nextHopOf(config);
  const lists = await house.lists.prepare(config.lists);
  return {
    drop() {
      lists.drop();
      law.names?.close();
      void next.close(0);
    },
    async commit() {
      lists.commit();
      const oldNames = house.law.names;
      house.law = law;
      if (certificate) for (const door of doors) door.renew(certificate);
      const old = inForce.nextHop;
      Object.assign(inForce, { nextHop: next, front: desk.inFrontOf(next, true) });
      await old.close(config.limits.drainMs);
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
      desk.rounds,
      {
        name: "codes",
        begin: async () => every(DAY_MS, () => warnOfCodes(house.codes, house.law.choice.active, log)),
      },
    ],
    onChange: (ours) => log.debug({ ours }, ours ? "this process keeps the house" : "another process keeps the house"),
    onError: (error, duty) => log.warn({ err: error, duty }, "keeping the house: tried again soon"),
  });
}

/** So long after the process that keeps the house was killed, another one does. */
const LEASE_MS = 30_000;
const DAY_MS = 86_400_000;
