/**
 * What a command stands on: the configuration, and of the rest only what it asks for. No doors and no rules here, so that
 * registers and ledger can be worked on beside a running server, and each while the other is away.
 */
import { existsSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { LoadedConfig } from "../config/load.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import type { Ids } from "../kit/ids.ts";
import { Unavailable } from "../kit/trouble.ts";
import type { Journal } from "../ledger/journal.ts";
import type { Happening } from "../ledger/recorder.ts";
import type { ClientRegister } from "../registers/clients.ts";
import type { ConsentRegister } from "../registers/consents.ts";
import type { LessonRegister } from "../signals/lessons.ts";
import { remark } from "./output.ts";

export interface Registers {
  readonly clients: ClientRegister;
  readonly consents: ConsentRegister;
  readonly lessons: LessonRegister;
}

export interface Ground extends LoadedConfig {
  readonly clock: Clock;
  ids(): Promise<Ids>;
  /** Opens the store the first time. @throws Unavailable */
  registers(): Promise<Registers>;
  /** Opens the journal the first time. @throws Unavailable */
  journal(): Promise<Journal>;
  /** Is there a journal to look into? */
  hasJournal(): boolean;
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
  const ledgerDir = join(dataDir, "ledger");
  const clock = systemClock;
  const ids = once(() => makeIds(loaded, clock));
  const journal = once(async () => {
    const { openJournal } = await import("../stores/hourlog/journal.ts");
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const opened = await openJournal(ledgerDir);
    closings.push(() => opened.close());
    return opened;
  });
  return {
    ...loaded,
    clock,
    ids,
    journal,
    hasJournal: () => existsSync(ledgerDir),
    registers: once(() => openRegisters(loaded, clock, closings)),
    async record(happening) {
      const { createRecorder } = await import("../ledger/recorder.ts");
      await createRecorder(await journal(), await ids(), clock).record([happening]);
    },
  };
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

async function openRegisters({ config }: LoadedConfig, clock: Clock, closings: Closing[]): Promise<Registers> {
  const [{ openStore }, { createClientRegister }, { createConsentRegister }, { createLessonRegister }] =
    await Promise.all([
      import("../stores/open.ts"),
      import("../registers/clients.ts"),
      import("../registers/consents.ts"),
      import("../signals/lessons.ts"),
    ]);
  const { dataDir, store } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (store.url === "memory:") remark("note: store.url is memory:, which a command cannot share with the server");
  const opened = await openStore(store.url, { dataDir, timeoutMs: store.timeoutMs, clock });
  closings.push(() => opened.close());
  const { tables } = opened;
  return {
    clients: createClientRegister(tables, clock),
    consents: createConsentRegister(tables, clock),
    lessons: createLessonRegister(tables, clock),
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
