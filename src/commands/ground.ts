/**
 * What a command stands on: the configuration, and of the rest only what it asks for. No doors and no rules here, so that
 * registers and ledger can be worked on beside a running server, and each while the other is away.
 */
import { existsSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { LoadedConfig } from "../config/load.ts";
import type { Desk } from "../desk/desk.ts";
import type { Tokens } from "../desk/tokens.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import type { Ids } from "../kit/ids.ts";
import type { Store, Tables } from "../kit/store.ts";
import { Unavailable } from "../kit/trouble.ts";
import type { Journal } from "../ledger/journal.ts";
import type { LedgerReader } from "../ledger/query.ts";
import type { Happening, Recorder } from "../ledger/recorder.ts";
import type { ClientRegister } from "../registers/clients.ts";
import type { CodeRegister } from "../registers/codes.ts";
import type { ConsentQuotas } from "../registers/consent-quotas.ts";
import type { ConsentRegister } from "../registers/consents.ts";
import type { BlockRegister } from "../signals/blocks.ts";
import type { ComplaintLimits, Complaints } from "../signals/complaints.ts";
import type { ConductReader } from "../signals/conduct.ts";
import type { LessonRegister } from "../signals/lessons.ts";
import type { ListReader } from "../signals/lists.ts";
import type { Quotas } from "../signals/quotas.ts";
import { remark } from "./output.ts";

export interface Registers {
  readonly store: Pick<Store, "ping">;
  readonly clients: ClientRegister;
  readonly consents: ConsentRegister;
  readonly quotas: ConsentQuotas;
  readonly codes: CodeRegister;
  readonly blocks: BlockRegister;
  /** What clients have used of their rates. */
  readonly rates: Pick<Quotas, "usage">;
  /** Looks at what was counted, and counts nothing. */
  readonly conduct: ConductReader;
  readonly lessons: LessonRegister;
  /** Reports of spam about clients' mail, by these limits. */
  complaints(limits: ComplaintLimits): Complaints;
}

export interface Ground extends LoadedConfig {
  readonly clock: Clock;
  ids(): Promise<Ids>;
  tokens(): Promise<Tokens>;
  /** Opens the store the first time. @throws Unavailable */
  registers(): Promise<Registers>;
  /** What the store remembers, for holds and requests. @throws Unavailable */
  tables(): Promise<Tables>;
  /** Reads the files of networks the first time. */
  lists(): Promise<ListReader>;
  /** Opens the journal the first time. @throws Unavailable */
  journal(): Promise<Journal>;
  /** Opens the whole ledger the first time, hot and archived. @throws Unavailable */
  reader(): Promise<LedgerReader>;
  /** Is there a journal to look into? */
  hasJournal(): boolean;
  /** Where recipients' words are recorded; mails it lays out are sent by the running service. @throws Unavailable */
  desk(): Promise<Desk>;
  /** Writes one entry. @throws Unavailable */
  record(happening: Happening): Promise<void>;
}

type Closing = () => Promise<void>;

/** Loads the configuration, lets `use` work on it, and closes whatever that opened. @throws Misuse */
export async function withGround<T>(configPath: string, use: (ground: Ground) => Promise<T>): Promise<T> {
  const { loadConfig } = await import("../config/load.ts");
  const closings: Closing[] = [];
  try {
    return await use(createGround(loadConfig(configPath), closings));
  } finally {
    await Promise.allSettled(closings.map((close) => close()));
  }
}

function createGround(loaded: LoadedConfig, closings: Closing[]): Ground {
  const { dataDir } = loaded.config;
  const clock = systemClock;
  const ids = once(() => makeIds(loaded, clock));
  const store = once(() => openStoreOf(loaded, clock, closings));
  const tables = async (): Promise<Tables> => (await store()).tables;
  const journalDir = join(dataDir, "ledger");
  const journal = once(async () => {
    const [{ openJournal }, { withoutOwnLooks }] = await Promise.all([
      import("../stores/hourlog/journal.ts"),
      import("../ledger/lookups.ts"),
    ]);
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const opened = withoutOwnLooks(await openJournal(journalDir));
    closings.push(() => opened.close());
    return opened;
  });
  const registers = once(async () => makeRegisters(await store(), clock));
  const recorder = once(async () => {
    const { createRecorder } = await import("../ledger/recorder.ts");
    return createRecorder(await journal(), await ids(), clock);
  });
  return {
    ...loaded,
    clock,
    ids,
    tokens: once(() => makeTokens(loaded, clock)),
    journal,
    lists: once(async () => {
      const { createLists } = await import("../signals/open-lists.ts");
      const lists = createLists(clock, ({ list, problem }) => problem && remark(`note: list ${list}: ${problem}`));
      closings.push(async () => lists.close());
      await lists.configure(loaded.config.lists);
      return lists;
    }),
    reader: once(async () => {
      const { ledgerPlace, openLedgerReader } = await import("../stores/open-ledger.ts");
      const opened = await openLedgerReader(ledgerPlace(loaded.config), await journal());
      closings.push(() => opened.close());
      return opened;
    }),
    hasJournal: () => existsSync(journalDir),
    registers,
    tables,
    desk: once(async () =>
      makeDesk(loaded, await registers(), { tables: await tables(), clock, recorder: await recorder() }),
    ),
    record: async (happening) => (await recorder()).record([happening]),
  };
}

async function makeDesk(
  { config }: LoadedConfig,
  { consents }: Registers,
  ground: { tables: Tables; clock: Clock; recorder: Recorder },
): Promise<Desk> {
  const [{ openDesk }, { choosePacks }, { knownPacks }, { createFlights }] = await Promise.all([
    import("../desk/open.ts"),
    import("../law/choice.ts"),
    import("../law/packs.ts"),
    import("../registers/flights.ts"),
  ]);
  const { packs, nextHop } = config;
  const law = { config, choice: choosePacks(packs, knownPacks(packs.directory), []) };
  const flights = createFlights(ground.tables, ground.clock, { answerMs: () => nextHop.timeoutMs });
  return openDesk({ ...ground, consents, flights, law: () => law }).desk;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

async function makeIds({ config }: LoadedConfig, clock: Clock): Promise<Ids> {
  const [{ createIds }, { readSecret }] = await Promise.all([import("../kit/ids.ts"), import("../config/secret.ts")]);
  return createIds(clock, readSecret(config));
}

async function makeTokens({ config }: LoadedConfig, clock: Clock): Promise<Tokens> {
  const [{ createTokens }, { readSecret }] = await Promise.all([
    import("../desk/tokens.ts"),
    import("../config/secret.ts"),
  ]);
  return createTokens(readSecret(config), clock, config.refusals.requestDays);
}

async function openStoreOf({ config }: LoadedConfig, clock: Clock, closings: Closing[]): Promise<Store> {
  const { openStore } = await import("../stores/open.ts");
  const { dataDir, store } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (store.url === "memory:") remark("note: store.url is memory:, which a command cannot share with the server");
  const opened = await openStore(store.url, { dataDir, timeoutMs: store.timeoutMs, clock });
  closings.push(() => opened.close());
  return opened;
}

async function makeRegisters(store: Store, clock: Clock): Promise<Registers> {
  const { tables, admissions, windows } = store;
  const [
    { createClientRegister },
    { createConsentRegister },
    { createConsentQuotas },
    { createCodeRegister },
    signals,
  ] = await Promise.all([
    import("../registers/clients.ts"),
    import("../registers/consents.ts"),
    import("../registers/consent-quotas.ts"),
    import("../registers/codes.ts"),
    importSignals(),
  ]);
  const blocks = signals.createBlockRegister(tables, clock);
  const rates = signals.createQuotas(windows, () => undefined);
  return {
    store,
    clients: createClientRegister(tables, clock),
    consents: createConsentRegister(tables, clock),
    quotas: createConsentQuotas(admissions),
    codes: createCodeRegister(tables, clock),
    blocks,
    rates,
    lessons: signals.createLessonRegister(tables, clock),
    complaints: (limits) =>
      signals.createComplaints(windows, {
        limits: () => limits,
        onTrouble: () => undefined,
        pause: async () => undefined,
      }),
    conduct: signals.createConductReader(blocks, rates, signals.createCampaignCounts(windows)),
  };
}

async function importSignals() {
  const [
    { createBlockRegister },
    { createCampaignCounts },
    { createComplaints },
    { createQuotas },
    { createConductReader },
    { createLessonRegister },
  ] = await Promise.all([
    import("../signals/blocks.ts"),
    import("../signals/campaigns.ts"),
    import("../signals/complaints.ts"),
    import("../signals/quotas.ts"),
    import("../signals/conduct.ts"),
    import("../signals/lessons.ts"),
  ]);
  return {
    createBlockRegister,
    createCampaignCounts,
    createComplaints,
    createQuotas,
    createConductReader,
    createLessonRegister,
  };
}

/** Who stands behind a command, for the ledger: what was given, else the name of the operating system's user. */
export function actorName(given: string | undefined): string {
  if (given !== undefined) return given;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** Writes the entry of a change that is made already; what was done stays done when it cannot be written. */
export async function recordChange(ground: Ground, happening: Happening): Promise<void> {
  try {
    await ground.record(happening);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    remark("consentry: the change is made, but its entry in the ledger could not be written:");
    throw error;
  }
}
