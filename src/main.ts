/**
 * The tour of the house: every object is built here, by hand, from the ground up. `buildHouse` makes what remembers and judges
 * and opens no socket of its own (commands use it too); `openHouse` opens the doors.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LoadedConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { readSecret } from "./config/secret.ts";
import { inFileOrder } from "./config/yaml.ts";
import { nextHopOf } from "./delivery/open.ts";
import { refusalWays } from "./desk/open.ts";
import { openDeskService } from "./desk/service.ts";
import { createTokens, type Tokens } from "./desk/tokens.ts";
import type { IntakeParts } from "./doors/intake.ts";
import { certificateOf, openDoors } from "./doors/open.ts";
import type { SmtpSettings } from "./doors/smtp/server.ts";
import { type Clock, systemClock } from "./kit/clock.ts";
import { every } from "./kit/every.ts";
import { createIds, type Ids } from "./kit/ids.ts";
import { ipRanges } from "./kit/ip.ts";
import type { Log } from "./kit/log.ts";
import type { Store } from "./kit/store.ts";
import { Misuse } from "./kit/trouble.ts";
import { choosePacks, type PackChoice } from "./law/choice.ts";
import type { Pack } from "./law/pack.ts";
import { knownPacks } from "./law/packs.ts";
import type { Journal } from "./ledger/journal.ts";
import { createRecorder, type Recorder } from "./ledger/recorder.ts";
import { domainList } from "./mail/domains.ts";
import { createPipeline, type Pipeline } from "./pipeline/pipeline.ts";
import { compileSettings } from "./pipeline/settings.ts";
import { type ClientRegister, createClientRegister } from "./registers/clients.ts";
import { warnOfCodes } from "./registers/code-warnings.ts";
import { type CodeRegister, createCodeRegister } from "./registers/codes.ts";
import { type ConsentQuotas, createConsentQuotas } from "./registers/consent-quotas.ts";
import { type ConsentRegister, createConsentRegister } from "./registers/consents.ts";
import type { Site } from "./rules/define.ts";
import { RULES } from "./rules/index.ts";
import { openScorers } from "./scorers/open.ts";
import { openJournal } from "./stores/hourlog/journal.ts";
import { openStore } from "./stores/open.ts";

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
  readonly quotas: ConsentQuotas;
  readonly codes: CodeRegister;
  readonly journal: Journal;
  readonly recorder: Recorder;
  readonly tokens: Tokens;
  /** In force now. */
  law: Law;
  close(): Promise<void>;
}

/** What a law is laid down on. */
type Ground = Pick<House, "clock" | "ids" | "tokens" | "consents" | "quotas" | "codes" | "log">;

/** Builds what remembers and what judges. @throws Misuse with every key that is wrong */
export async function buildHouse({ config, file }: LoadedConfig, log: Log, clock = systemClock): Promise<House> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const secret = readSecret(config);
  const ids = createIds(clock, secret);
  const tokens = createTokens(secret, clock, config.refusals.requestDays);
  const store = await openStore(config.store.url, {
    dataDir: config.dataDir,
    timeoutMs: config.store.timeoutMs,
    clock,
    onState: (up, why) => (up ? log.info("the store answers") : log.warn({ reason: why }, "the store is away")),
  });
  const clients = createClientRegister(store.tables, clock);
  const consents = createConsentRegister(store.tables, clock);
  const quotas = createConsentQuotas(store.admissions);
  const codes = createCodeRegister(store.tables, clock);
  const journal = await openJournal(join(config.dataDir, "ledger"));
  const recorder = createRecorder(journal, ids, clock);
  const ground = { clock, log, ids, tokens, store, clients, consents, quotas, codes, journal, recorder };
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

/** Compiles packs, rules and site. @throws Misuse listing everything that does not fit */
export function layDownLaw(
  { config, file }: LoadedConfig,
  { clock, ids, tokens, consents, quotas, codes, log }: Ground,
): Law {
  const problems: string[] = [];
  const packs = knownPacks(config.packs.directory);
  const choice = choosePacks(config.packs, packs, problems);
  const settings = compileSettings(config.rules, RULES, problems);
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
  const site: Site = { hostname: config.hostname.toLowerCase(), isLocal: local.has, isOurId: ids.isOurs };
  const pipeline = createPipeline({
    settings,
    context: {
      clock,
      site,
      consents,
      quotas,
      codes,
      packsFor: choice.for,
      refusalWay: refusalWays(config, tokens),
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
  const desk = openDeskService(house, () => nextHop);
  let front = desk.inFrontOf(nextHop, true);
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
    get receivedMax() {
      return house.law.config.limits.receivedMax;
    },
    isLocal: (domain) => house.law.site.isLocal(domain),
  };
  const doors = await openDoors(house, parts, desk);
  const watchCodes = every(DAY_MS, () => warnOfCodes(house.codes, house.law.choice.active, house.log));
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
      front = desk.inFrontOf(next, true);
      await old.close(loaded.config.limits.drainMs);
    },
    async close() {
      const { drainMs } = house.law.config.limits;
      watchCodes.stop();
      await Promise.all(doors.map((door) => door.close(drainMs)));
      await desk.close();
      await nextHop.close(drainMs);
      await house.close();
    },
  };
}

const DAY_MS = 86_400_000;
