/**
 * The tour of the house: every object is built here, by hand, from the ground up. `buildHouse` makes what remembers and judges
 * and opens no socket of its own (commands use it too); `openHouse` opens the doors.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LoadedConfig } from "./config/load.ts";
import type { Config, Listener } from "./config/schema.ts";
import { readSecret } from "./config/secret.ts";
import { inFileOrder } from "./config/yaml.ts";
import type { NextHop } from "./delivery/next-hop.ts";
import { openNextHop } from "./delivery/open.ts";
import type { Certificate, Door } from "./doors/door.ts";
import { createIntake, type IntakeParts } from "./doors/intake.ts";
import { openMilterDoor } from "./doors/milter/listen.ts";
import { openSmtpDoor } from "./doors/smtp/listen.ts";
import { createPerAddress } from "./doors/smtp/per-address.ts";
import type { SmtpSettings } from "./doors/smtp/server.ts";
import { type Clock, systemClock } from "./kit/clock.ts";
import { createIds, type Ids } from "./kit/ids.ts";
import { ipRanges } from "./kit/ip.ts";
import type { Log } from "./kit/log.ts";
import type { Store } from "./kit/store.ts";
import { Misuse } from "./kit/trouble.ts";
import { choosePacks, type PackChoice } from "./law/choice.ts";
import type { Pack } from "./law/pack.ts";
import { loadPacks } from "./law/packs.ts";
import type { Journal } from "./ledger/journal.ts";
import { createRecorder, type Recorder } from "./ledger/recorder.ts";
import { domainList } from "./mail/domains.ts";
import { createDetection, NO_DETECTION, packProblems } from "./pipeline/detection.ts";
import { createPipeline, type Pipeline } from "./pipeline/pipeline.ts";
import { compileSettings, isOff, type RuleSetting } from "./pipeline/settings.ts";
import { type ClientRegister, createClientRegister } from "./registers/clients.ts";
import { type ConsentRegister, createConsentRegister } from "./registers/consents.ts";
import { detect } from "./rules/advertising/detect.ts";
import type { Site } from "./rules/define.ts";
import { RULES } from "./rules/index.ts";
import { openScorers } from "./scorers/open.ts";
import type { Detection } from "./signals/detector.ts";
import { createLessonRegister, type LessonRegister } from "./signals/lessons.ts";
import { loadModel, type Model } from "./signals/model.ts";
import { openJournal } from "./stores/hourlog/journal.ts";
import { openStore } from "./stores/open.ts";

const OWN_CONFIG = join(dirname(fileURLToPath(import.meta.url)), "..", "config");
const OWN_PACKS = join(OWN_CONFIG, "packs");
const OWN_MODEL = join(OWN_CONFIG, "models", "advertising.bin");

/** What a configuration says about judging; replaced as a whole by a reload. */
export interface Law {
  readonly config: Config;
  readonly packs: ReadonlyMap<string, Pack>;
  readonly choice: PackChoice;
  readonly site: Site;
  readonly pipeline: Pipeline;
  readonly smtp: SmtpSettings;
}

/** Everything but the doors. */
export interface House {
  readonly clock: Clock;
  readonly log: Log;
  readonly ids: Ids;
  readonly store: Store;
  readonly clients: ClientRegister;
  readonly consents: ConsentRegister;
  readonly lessons: LessonRegister;
  readonly journal: Journal;
  readonly recorder: Recorder;
  /** In force now. */
  law: Law;
  close(): Promise<void>;
}

/** Builds what remembers and what judges. @throws Misuse with every key that is wrong */
export async function buildHouse({ config, file }: LoadedConfig, log: Log, clock = systemClock): Promise<House> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const ids = createIds(clock, readSecret(config));
  const store = await openStore(config.store.url, {
    dataDir: config.dataDir,
    timeoutMs: config.store.timeoutMs,
    clock,
    onState: (up, why) => (up ? log.info("the store answers") : log.warn({ reason: why }, "the store is away")),
  });
  const clients = createClientRegister(store.tables, clock);
  const consents = createConsentRegister(store.tables, clock);
  const lessons = createLessonRegister(store.tables, clock);
  const journal = await openJournal(join(config.dataDir, "ledger"));
  const recorder = createRecorder(journal, ids, clock);
  const ground = { clock, log, ids, store, clients, consents, lessons, journal, recorder };
  const close = async (): Promise<void> => {
    await Promise.allSettled([journal.close(), store.close()]);
  };
  try {
    return { ...ground, law: layDownLaw({ config, file }, ground), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What judging needs; without `lessons` nothing was taught, without `store` nobody counts copies. */
export interface Ground
  extends Pick<House, "clock" | "ids" | "consents" | "log">,
    Partial<Pick<House, "lessons" | "store">> {
  /** Read every mail for signs of advertising, also where nothing follows. */
  readonly detectAlways?: boolean;
}

/** Compiles packs, rules and site. @throws Misuse listing everything that does not fit */
export function layDownLaw({ config, file }: LoadedConfig, ground: Ground): Law {
  const { clock, ids, consents, log } = ground;
  const problems: string[] = [];
  const packs = new Map([
    ...loadPacks(OWN_PACKS),
    ...(config.packs.directory ? loadPacks(config.packs.directory) : []),
  ]);
  const choice = choosePacks(config.packs, packs, problems);
  const settings = compileSettings(config.rules, RULES, problems);
  problems.push(...settings.filter(({ rule }) => rule === detect).flatMap((setting) => packProblems(setting, packs)));
  for (const { id, retention } of choice.active) {
    if (retention?.logDays !== undefined && config.ledger.retentionDays < retention.logDays) {
      problems.push(
        `ledger.retentionDays: pack ${id} demands at least ${retention.logDays} (${retention.source.cite})`,
      );
    }
  }
  if (problems.length > 0) throw new Misuse(`${file.path} cannot be used:`, inFileOrder(problems.map(file.place)));
  const local = domainList(config.localDomains);
  const site: Site = { hostname: config.hostname.toLowerCase(), isLocal: local.has, isOurId: ids.isOurs };
  const pipeline = createPipeline({
    settings,
    context: {
      ...{ clock, site, consents, packsFor: choice.for },
      detection: detectionOf(config, settings, ground),
      scorers: openScorers(config.scorers),
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
  return { config, packs, choice, site, pipeline, smtp };
}

function detectionOf(
  config: Config,
  settings: readonly RuleSetting[],
  { clock, log, lessons, store, detectAlways }: Ground,
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
  const { config } = house.law;
  let nextHop = nextHopOf(config);
  const parts: IntakeParts = {
    ...house,
    get pipeline() {
      return house.law.pipeline;
    },
    get nextHop() {
      return nextHop;
    },
    get hostname() {
      return house.law.config.hostname;
    },
    get receivedMax() {
      return house.law.config.limits.receivedMax;
    },
    isLocal: (domain) => house.law.site.isLocal(domain),
  };
  const doors = await openDoors(house, parts);
  return {
    addresses: doors.map((door) => door.address),
    async reload(loaded) {
      const law = layDownLaw(loaded, house);
      const certificate = certificateOf(loaded.config);
      const next = nextHopOf(loaded.config);
      house.law = law;
      if (certificate) for (const door of doors) door.renew(certificate);
      const old = nextHop;
      nextHop = next;
      await old.close(loaded.config.limits.drainMs);
    },
    async close() {
      const { drainMs } = house.law.config.limits;
      await Promise.all(doors.map((door) => door.close(drainMs)));
      await nextHop.close(drainMs);
      await house.close();
    },
  };
}

async function openDoors(house: House, parts: IntakeParts): Promise<Door[]> {
  const { config } = house.law;
  const spillDir = join(config.dataDir, "incoming");
  mkdirSync(spillDir, { recursive: true, mode: 0o700 });
  const shared = {
    intake: createIntake(parts),
    clients: house.clients,
    log: house.log,
    spillDir,
    perAddress: createPerAddress(() => house.law.config.limits.connectionsPerIpMax),
    settings: () => house.law.smtp,
  };
  const milter = { newSessionId: house.ids.next, nowMs: house.clock.now, site: () => house.law.site };
  const certificate = certificateOf(config);
  const open = ({ door, listen, tls, requireTls, proxyHeader, submissionDaemons }: Listener): Promise<Door> => {
    if (door === "milter") return openMilterDoor(listen, { ...shared, ...milter, submissionDaemons });
    const role = door === "submission" ? "submission" : "mx";
    const options = { hostname: config.hostname, listen, tls, certificate };
    return openSmtpDoor(options, { ...shared, role, requireTls, proxyHeader });
  };
  const doors: Door[] = [];
  try {
    for (const listener of config.listeners) doors.push(await open(listener));
    return doors;
  } catch (error) {
    await Promise.all(doors.map((door) => door.close(0)));
    throw error;
  }
}

function certificateOf({ tls }: Config): Certificate | undefined {
  if (!tls) return undefined;
  try {
    return { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
  } catch (error) {
    throw new Misuse(`tls: ${(error as Error).message}`);
  }
}

function nextHopOf({ nextHop, hostname }: Config): NextHop {
  const { to, user, passwordFile, caFile, mode: _, ...rest } = nextHop;
  const password = passwordFile === undefined ? undefined : readFileSync(passwordFile, "utf8").trim();
  const credentials = user !== undefined && password !== undefined ? { user, password } : undefined;
  return openNextHop(to, {
    ...rest,
    hostname,
    ...(caFile !== undefined && { caFile }),
    ...(credentials && { credentials }),
  });
}
