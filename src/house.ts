/**
 * What remembers and what judges, built by hand from the ground up. No socket is opened here: commands build it, too.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LoadedConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { readSecret } from "./config/secret.ts";
import { inFileOrder } from "./config/yaml.ts";
import { refusalWays } from "./desk/open.ts";
import { createTokens, type Tokens } from "./desk/tokens.ts";
import { blockEntry } from "./doors/block-entry.ts";
import { openSealing, type Sealing } from "./doors/sealing.ts";
import { openSigning, type Signing } from "./doors/signing.ts";
import type { SmtpSettings } from "./doors/smtp/server.ts";
import { type Clock, systemClock } from "./kit/clock.ts";
import type { Duty } from "./kit/duties.ts";
import { createIds, type Ids } from "./kit/ids.ts";
import { ipRanges } from "./kit/ip.ts";
import type { Log } from "./kit/log.ts";
import type { Store } from "./kit/store.ts";
import { Misuse } from "./kit/trouble.ts";
import { choosePacks, type PackChoice } from "./law/choice.ts";
import type { Pack } from "./law/pack.ts";
import { knownPacks } from "./law/packs.ts";
import { startHousekeeping } from "./ledger/housekeeping.ts";
import type { Journal } from "./ledger/journal.ts";
import { createRecorder, type Recorder } from "./ledger/recorder.ts";
import { domainList } from "./mail/domains.ts";
import { conductSettings } from "./pipeline/conduct.ts";
import { createDetection, NO_DETECTION, packProblems } from "./pipeline/detection.ts";
import { createPipeline, type Pipeline } from "./pipeline/pipeline.ts";
import { compileSettings, isOff, type RuleSetting } from "./pipeline/settings.ts";
import { type ClientRegister, createClientRegister } from "./registers/clients.ts";
import { type CodeRegister, createCodeRegister } from "./registers/codes.ts";
import { type ConsentQuotas, createConsentQuotas } from "./registers/consent-quotas.ts";
import { shareQuestions } from "./registers/consent-sharing.ts";
import { type ConsentRegister, createConsentRegister } from "./registers/consents.ts";
import { createFlights, type Flights } from "./registers/flights.ts";
import { openNames } from "./resolver/open.ts";
import type { Resolver } from "./resolver/resolver.ts";
import { detect } from "./rules/advertising/detect.ts";
import type { Site } from "./rules/define.ts";
import { RULES } from "./rules/index.ts";
import { openScorers } from "./scorers/open.ts";
import {
  type Conduct,
  type ConductReader,
  type ConductSettings,
  createConduct,
  NOTHING_NOTICED,
} from "./signals/conduct.ts";
import type { Detection } from "./signals/detector.ts";
import { createLessonRegister, type LessonRegister } from "./signals/lessons.ts";
import { type ListReader, NO_LISTS } from "./signals/lists.ts";
import { loadModel, type Model } from "./signals/model.ts";
import { createLists, type Lists } from "./signals/open-lists.ts";
import { openJournal } from "./stores/hourlog/journal.ts";
import { openStore } from "./stores/open.ts";
import { addLine, type LedgerPlace, ledgerPlace, openNodeArchive } from "./stores/open-ledger.ts";

const OWN_MODEL = fileURLToPath(new URL("../config/models/advertising.bin", import.meta.url));

/** What a configuration says about judging; replaced as a whole by a reload. */
export interface Law {
  readonly config: Config;
  readonly packs: ReadonlyMap<string, Pack>;
  readonly choice: PackChoice;
  readonly site: Site;
  readonly pipeline: Pipeline;
  readonly smtp: SmtpSettings;
  readonly conduct: ConductSettings;
  /** DNS; absent where no server is named. */
  readonly names?: Resolver;
  /** ARC seals; absent where the configuration names no key. */
  readonly sealing?: Sealing | undefined;
  /** DKIM signatures; absent where there is no key. */
  readonly signing?: Signing | undefined;
}

/** Everything but the doors. */
export interface House {
  /** Which of several processes this is, from 1; absent where there is one. */
  readonly worker?: number | undefined;
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
  readonly recorder: Recorder;
  readonly tokens: Tokens;
  readonly conduct: Conduct;
  readonly lists: Lists;
  /** In force now. */
  law: Law;
  close(): Promise<void>;
}

/** What is not said by the configuration. */
export interface Place {
  readonly clock?: Clock;
  /** Which of several processes this is, from 1. */
  readonly worker?: number | undefined;
}

/** Builds what remembers and what judges. @throws Misuse with every key that is wrong */
export async function buildHouse(loaded: LoadedConfig, log: Log, place: Place = {}): Promise<House> {
  const { config, file } = loaded;
  const { clock = systemClock, worker } = place;
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const secret = readSecret(config);
  const ids = createIds(clock, secret, worker);
  const tokens = createTokens(secret, clock, config.refusals.requestDays);
  const store = await openStore(config.store.url, {
    dataDir: config.dataDir,
    timeoutMs: config.store.timeoutMs,
    clock,
    onState: (up, why) => (up ? log.info("the store answers") : log.warn({ reason: why }, "the store is away")),
  });
  const clients = createClientRegister(store.tables, clock);
  const consents = createConsentRegister(store.tables, clock);
  const flights = createFlights(store.tables, clock, {
    answerMs: () => (house?.law.config ?? config).nextHop.timeoutMs,
  });
  const quotas = createConsentQuotas(store.admissions);
  const codes = createCodeRegister(store.tables, clock);
  const lessons = createLessonRegister(store.tables, clock);
  const ledger = ledgerPlace(config);
  const journal = await openJournal(ledger.journalDir);
  const recorder = createRecorder(journal, ids, clock);
  const conduct = watchConduct({ clock, log, store, recorder }, () => house?.law.conduct ?? conductSettings([]));
  const lists = createLists(clock, ({ problem, ...news }) =>
    problem === undefined
      ? log.info(news, "a list is in force")
      : log.warn({ ...news, problem }, "a list has a problem"),
  );
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
    recorder,
    conduct,
    lists,
  };
  const ground = { worker, clock, log, ids, tokens, ...remembered };
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

/** What a law is laid down on. */
export interface LawParts extends Pick<House, "clock" | "ids" | "tokens" | "consents" | "quotas" | "codes" | "log"> {
  readonly conduct?: ConductReader;
  readonly lists?: ListReader;
  /** Absent: nothing was taught. */
  readonly lessons?: LessonRegister;
  /** Absent: nobody counts copies. */
  readonly store?: Store;
  /** Read every mail for signs of advertising, also where nothing follows. */
  readonly detectAlways?: boolean;
}

/** Compiles packs, rules and site. @throws Misuse listing everything that does not fit */
export function layDownLaw({ config, file }: LoadedConfig, parts: LawParts): Law {
  const { clock, ids, tokens, consents, quotas, codes, log, conduct = NOTHING_NOTICED, lists = NO_LISTS } = parts;
  const problems: string[] = [];
  const packs = knownPacks(config.packs.directory);
  const choice = choosePacks(
    { ...config.packs, listeners: config.listeners.map((each) => each.packs) },
    packs,
    problems,
  );
  const settings = compileSettings(config.rules, RULES, problems);
  problems.push(...settings.filter(({ rule }) => rule === detect).flatMap((setting) => packProblems(setting, packs)));
  for (const { id, retention } of choice.active) {
    if (retention?.logDays !== undefined && config.ledger.retentionDays < retention.logDays) {
      problems.push(
        `ledger.retentionDays: pack ${id} demands at least ${retention.logDays} (${retention.source.cite})`,
      );
    }
  }
  const local = domainList(config.localDomains);
  const { address } = config.refusals;
  if (address !== undefined && !local.has(address.slice(address.lastIndexOf("@") + 1))) {
    problems.push("refusals.address: its domain is none of localDomains, so nobody could write to it");
  }
  if (problems.length > 0) throw new Misuse(`${file.path} cannot be used:`, inFileOrder(problems.map(file.place)));
  const signing = openSigning(config, { clock, isLocal: local.has });
  const hostname = config.hostname.toLowerCase();
  const site: Site = { hostname, isLocal: local.has, isOurId: ids.isOurs, ...(signing && { signs: signing.signs }) };
  const names = openNames(config.dns, clock);
  const pipeline = createPipeline({
    settings,
    context: {
      clock,
      site,
      ...shareQuestions(consents, quotas),
      codes,
      packsFor: choice.for,
      packsUnder: choice.under,
      refusalWay: refusalWays(config, tokens),
      detection: detectionOf(config, settings, parts),
      scorers: openScorers(config.scorers),
      conduct,
      lists,
      ...(names && { names }),
    },
    packMode: choice.mode,
    ruleTimeoutMs: config.limits.ruleTimeoutMs,
    onFault: (rule, error) => log.error({ rule, err: error }, "a rule has a bug: the mail is deferred"),
  });
  const smtp = {
    limits: config.limits,
    relayNetworks: ipRanges(config.relayNetworks),
    trustedProxies: ipRanges(config.trustedProxies),
  };
  const asks = { ...(names && { names }), sealing: openSealing(config, clock), signing };
  return { config, packs, choice, site, pipeline, smtp, conduct: conductSettings(settings), ...asks };
}

function detectionOf(
  config: Config,
  settings: readonly RuleSetting[],
  { clock, log, lessons, store, detectAlways }: LawParts,
): Detection {
  const setting = settings.find(({ rule }) => rule === detect);
  if (!setting || isOff(setting)) return NO_DETECTION;
  const { modelFile } = config.detection;
  return createDetection({
    setting,
    clock,
    model: readModel(modelFile ?? OWN_MODEL),
    ...(lessons && { lessons }),
    ...(store && { marks: store.marks }),
    always: detectAlways ?? false,
    onFault: (error) => log.error({ err: error }, "what was taught cannot be read: the model is used as it came"),
  });
}

function readModel(path: string): Model {
  try {
    return loadModel(readFileSync(path));
  } catch (error) {
    throw new Misuse(`the detector's model ${path}: ${(error as Error).message}`);
  }
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
