/**
 * The service: the house (house.ts) with its doors open. Every object is built by hand; that file and this one are the tour.
 */
import type { LoadedConfig } from "./config/load.ts";
import { openCustody } from "./custody.ts";
import { openDeskService } from "./desk/service.ts";
import type { IntakeParts } from "./doors/intake.ts";
import { certificateOf, openDoors } from "./doors/open.ts";
import { type House, keepHouse, layDownLaw } from "./house.ts";
import { every } from "./kit/every.ts";
import { warnOfClients } from "./registers/client-warnings.ts";
import { warnOfCodes } from "./registers/code-warnings.ts";

/** A running service. */
export interface Service {
  readonly addresses: readonly string[];
  /** Puts another configuration in force; what is wrong with it is thrown and the old one stays. */
  reload(loaded: LoadedConfig): Promise<void>;
  /** Lets mails in progress end, then closes everything. */
  close(): Promise<void>;
}

/** Opens next hop and doors. @throws Misuse when an address is taken or a file cannot be read */
export async function openHouse(house: House): Promise<Service> {
  const custody = await openCustody(house);
  const desk = openDeskService(house, custody.nextHop);
  let front = desk.inFrontOf(custody.nextHop(), true);
  const parts: IntakeParts = {
    ...house,
    quotas: house.store.windows,
    get pipeline() {
      return house.law.pipeline;
    },
    get nextHop() {
      return front;
    },
    get hostname() {
      return house.law.config.hostname;
    },
    sealing: async (...asked) => (await house.law.sealing?.(...asked)) ?? [],
    signing: async (mail) => (await house.law.signing?.sign(mail)) ?? [],
    get receivedMax() {
      return house.law.config.limits.receivedMax;
    },
    isLocal: (domain) => house.law.site.isLocal(domain),
  };
  const doors = await openDoors(house, parts, desk).catch(async (error: unknown) => {
    await custody.close(0);
    throw error;
  });
  const stopHousekeeping = await keepHouse(house).catch(async (error: unknown) => {
    await Promise.all(doors.map((door) => door.close(0)));
    await custody.close(0);
    throw error;
  });
  const { clock, log } = house;
  const watchCodes = every(DAY_MS, async () => {
    await warnOfCodes(house.codes, house.law.choice.active, log);
    await warnOfClients(house.clients, { clock, log, under: house.law.choice.under });
  });
  return {
    addresses: doors.map((door) => door.address),
    async reload(loaded) {
      const law = layDownLaw(loaded, house);
      const certificate = certificateOf(loaded.config);
      const change = await custody.prepare(loaded.config);
      await house.lists.configure(loaded.config.lists);
      const oldNames = house.law.names;
      house.law = law;
      if (certificate) for (const door of doors) door.renew(certificate);
      const changed = change();
      front = desk.inFrontOf(custody.nextHop(), true);
      await changed;
      oldNames?.close();
    },
    async close() {
      const { drainMs } = house.law.config.limits;
      watchCodes.stop();
      await Promise.all(doors.map((door) => door.close(drainMs)));
      await desk.close();
      await custody.close(drainMs);
      await stopHousekeeping();
      await house.close();
    },
  };
}

const DAY_MS = 86_400_000;
