/**
 * What remembers and what judges, built by hand from the ground up. No socket is opened here: commands build it, too.
 */
import { mkdirSync } from "node:fs";
import type { LoadedConfig } from "./config/load.ts";
import { readSecret } from "./config/secret.ts";
import { type CustomerGate, openCustomerGate } from "./delivery/customer-gate.ts";
import { createTokens, type Tokens } from "./desk/tokens.ts";
import { blockEntry } from "./doors/block-entry.ts";
import { type Clock, systemClock } from "./kit/clock.ts";
import type { Duty } from "./kit/duties.ts";
import { createIds, type Ids } from "./kit/ids.ts";
import type { Log } from "./kit/log.ts";
import type { Meter } from "./kit/metrics.ts";
import type { Store } from "./kit/store.ts";
import { type Law, layDownLaw } from "./law-in-force.ts";
import { type Watched, watchedJournal } from "./ledger/health.ts";
import { startHousekeeping } from "./ledger/housekeeping.ts";
import type { Journal } from "./ledger/journal.ts";
import type { LedgerReader } from "./ledger/query.ts";
import { createRecorder, type Recorder } from "./ledger/recorder.ts";
import { createMeter, type ReadableMeter } from "./metrics/meter.ts";
import { countedRecorder, timedJournal, timedStore } from "./metrics/taps.ts";
import { conductSettings } from "./pipeline/conduct.ts";
import { type ClientRegister, createClientRegister } from "./registers/clients.ts";
import { type CodeRegister, createCodeRegister } from "./registers/codes.ts";
import { type ConsentQuotas, createConsentQuotas } from "./registers/consent-quotas.ts";
import { type ConsentRegister, createConsentRegister } from "./registers/consents.ts";
import { createFlights, type Flights } from "./registers/flights.ts";
import { type Conduct, type ConductSettings, createConduct } from "./signals/conduct.ts";
import { createLessonRegister, type LessonRegister } from "./signals/lessons.ts";
import { createLists, type Lists } from "./signals/open-lists.ts";
import { openJournal } from "./stores/hourlog/journal.ts";
import { openStore } from "./stores/open.ts";
import { addLine, type LedgerPlace, ledgerPlace, openLedgerReader, openNodeArchive } from "./stores/open-ledger.ts";

/** Everything but the doors. */
export interface House {
  /** Which of several processes this is, from 1; absent where there is one. */
  readonly worker?: number | undefined;
  /** Id of the process that started them all. */
  readonly supervisor?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly ids: Ids;
  readonly store: Store;
  readonly clients: ClientRegister;
  readonly consents: ConsentRegister;
  readonly flights: Flights;
  readonly quotas: ConsentQuotas;
  readonly codes: CodeRegister;
  readonly lessons: LessonRegister;
  readonly ledger: LedgerPlace;
  readonly journal: Journal;
  /** Opens a reader over the whole ledger, for one look. */
  readonly openReader: () => Promise<LedgerReader>;
  readonly recorder: Recorder;
  /** Why nothing can be written down, as it was seen lately; undefined: nothing is known against it. */
  ledgerTrouble(): string | undefined;
  readonly tokens: Tokens;
  readonly conduct: Conduct;
  readonly lists: Lists;
  readonly meter: ReadableMeter;
  /** Looks again at customers' mail that waits. */
  readonly gate: CustomerGate;
  /** In force now. */
  law: Law;
  close(): Promise<void>;
}

/** What is not said by the configuration. */
export interface Place {
  readonly clock?: Clock;
  /** Which of several processes this is, from 1. */
  readonly worker?: number | undefined;
  /** Id of the process that started them all. */
  readonly supervisor?: number | undefined;
}

/** Builds what remembers and what judges. @throws Misuse with every key that is wrong */
export async function buildHouse(loaded: LoadedConfig, log: Log, place: Place = {}): Promise<House> {
  const { config, file } = loaded;
  const { clock = systemClock, worker, supervisor } = place;
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const secret = readSecret(config);
  const ids = createIds(clock, secret, worker);
  const tokens = createTokens(secret, clock, config.refusals.requestDays);
  const meter = createMeter();
  const opened = await openStore(config.store.url, {
    dataDir: config.dataDir,
    timeoutMs: config.store.timeoutMs,
    clock,
    onState: (up, why) => (up ? log.info("the store answers") : log.warn({ reason: why }, "the store is away")),
  });
  const store = timedStore(opened, meter);
  const clients = createClientRegister(store.tables, clock);
  const consents = createConsentRegister(store.tables, clock);
  const flights = createFlights(store.tables, clock, {
    answerMs: () => (house?.law.config ?? config).nextHop.timeoutMs,
  });
  const quotas = createConsentQuotas(store.admissions);
  const codes = createCodeRegister(store.tables, clock);
  const lessons = createLessonRegister(store.tables, clock);
  const ledger = ledgerPlace(config);
  const { journal, trouble: ledgerTrouble } = await journalIn(ledger.journalDir, { meter, clock });
  const recorder = countedRecorder(createRecorder(journal, ids, clock), meter);
  const conduct = watchConduct({ clock, log, store, recorder }, () => house?.law.conduct ?? conductSettings([]));
  const lists = createLists(clock, ({ problem, ...news }) =>
    problem === undefined
      ? log.info(news, "a list is in force")
      : log.warn({ ...news, problem }, "a list has a problem"),
  );
  const gate = openCustomerGate({
    ...{ clients, consents, quotas, clock, windows: store.windows },
    law: () => house?.law ?? notYet(),
    onTrouble: (error) => log.warn({ err: error }, "what was delivered could not be counted"),
  });
  const remembered = {
    store,
    clients,
    consents,
    flights,
    quotas,
    codes,
    lessons,
    ledger,
    journal,
    openReader: () => openLedgerReader(ledger, journal),
    recorder,
    ledgerTrouble,
    conduct,
    lists,
    gate,
  };
  const ground = { worker, supervisor, clock, log, ids, tokens, meter, ...remembered };
  const close = async (): Promise<void> => {
    house?.law.names?.close();
    lists.close();
    await Promise.allSettled([journal.close(), store.close()]);
  };
  let house: House | undefined;
  try {
    await lists.configure(config.lists);
    house = { ...ground, law: layDownLaw({ config, file }, ground), close };
    return house;
  } catch (error) {
    await close();
    throw error;
  }
}

/** The hot ledger, measured and watched. */
async function journalIn(dir: string, { meter, clock }: { meter: Meter; clock: Clock }): Promise<Watched> {
  return watchedJournal(timedJournal(await openJournal(dir), meter), () => clock.steadyMs?.() ?? clock.now());
}

const notYet = (): never => {
  throw new Error("no law is in force yet");
};

/** Counts how everybody behaves; a block that follows is written down, and a login that is held is named in the log. */
function watchConduct(
  { clock, log, store, recorder }: Pick<House, "clock" | "log" | "store" | "recorder">,
  settings: () => ConductSettings,
): Conduct {
  return createConduct({
    store,
    clock,
    settings,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    onTrouble: (error) => log.warn({ err: error }, "conduct could not be counted"),
    async onBlock(block, facts) {
      const entry = blockEntry("block-added", block, block.by, facts);
      log.warn({ client: entry.client, reason: block.reason, until: entry.evidence?.until }, "blocked");
      await recorder.record([entry]);
    },
  });
}

/** Puts the ledger in order now and then. */
export const ledgerDuty = (house: House): Duty => ({
  name: "ledger",
  async begin() {
    const archive = await openNodeArchive(house.ledger, house.law.config);
    const rounds = startHousekeeping({
      ...house,
      archive,
      tables: house.store.tables,
      settings: () => house.law.config.ledger,
      async anchor(line) {
        const { anchorFile } = house.law.config.ledger;
        if (anchorFile !== undefined) await addLine(anchorFile, line);
      },
    });
    return {
      async stop() {
        await Promise.all([rounds.stop(), archive.close()]);
      },
    };
  },
});
