/**
 * What a configuration says about judging, compiled: packs, rules, who asks whom. Laid down anew as a whole by each reload.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LoadedConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { inFileOrder } from "./config/yaml.ts";
import type { GateSettings } from "./delivery/ad-gate.ts";
import { returnDomainOf } from "./delivery/rewriting.ts";
import { refusalWays } from "./desk/open.ts";
import type { Tokens } from "./desk/tokens.ts";
import { openSealing, type Sealing } from "./doors/sealing.ts";
import { openSigning, type Signing } from "./doors/signing.ts";
import type { SmtpSettings } from "./doors/smtp/relay.ts";
import type { Clock } from "./kit/clock.ts";
import type { Ids } from "./kit/ids.ts";
import { ipRanges } from "./kit/ip.ts";
import type { Log } from "./kit/log.ts";
import { type Meter, NO_METER } from "./kit/metrics.ts";
import type { Store } from "./kit/store.ts";
import { Misuse } from "./kit/trouble.ts";
import { choosePacks, type PackChoice } from "./law/choice.ts";
import type { Pack } from "./law/pack.ts";
import { knownPacks } from "./law/packs.ts";
import { type DomainList, domainList } from "./mail/domains.ts";
import { timedPipeline, timedSettings } from "./metrics/taps.ts";
import { conductSettings } from "./pipeline/conduct.ts";
import { createDetection, NO_DETECTION, packProblems } from "./pipeline/detection.ts";
import { gateSettings } from "./pipeline/gate.ts";
import { createPipeline, type Pipeline } from "./pipeline/pipeline.ts";
import { compileSettings, isOff, type RuleSetting } from "./pipeline/settings.ts";
import type { CodeRegister } from "./registers/codes.ts";
import type { ConsentQuotas } from "./registers/consent-quotas.ts";
import { shareQuestions } from "./registers/consent-sharing.ts";
import type { ConsentRegister } from "./registers/consents.ts";
import { openNames } from "./resolver/open.ts";
import type { Resolver } from "./resolver/resolver.ts";
import { detect } from "./rules/advertising/detect.ts";
import type { Site } from "./rules/define.ts";
import { RULES } from "./rules/index.ts";
import { openScorers } from "./scorers/open.ts";
import { type ConductReader, type ConductSettings, NOTHING_NOTICED } from "./signals/conduct.ts";
import type { Detection } from "./signals/detector.ts";
import type { LessonRegister } from "./signals/lessons.ts";
import { type ListReader, NO_LISTS } from "./signals/lists.ts";
import { loadModel, type Model } from "./signals/model.ts";

const OWN_MODEL = fileURLToPath(new URL("../config/models/advertising.bin", import.meta.url));

/** What a configuration says about judging; replaced as a whole by a reload. */
export interface Law {
  readonly config: Config;
  /** The file it was read from … */
  readonly path: string;
  /** … and what that said then: for processes that are started later, whatever it says by then. */
  readonly text: string;
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
  /** What is asked again of advertising that waits in the queue. */
  readonly gate: GateSettings;
}

/** What a law is laid down on. */
export interface LawParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly ids: Ids;
  readonly tokens: Tokens;
  readonly consents: ConsentRegister;
  readonly quotas: ConsentQuotas;
  readonly codes: CodeRegister;
  readonly conduct?: ConductReader;
  readonly lists?: ListReader;
  /** Absent: nothing was taught. */
  readonly lessons?: LessonRegister;
  /** Absent: nobody counts copies. */
  readonly store?: Store;
  /** Absent: nothing is measured. */
  readonly meter?: Meter;
  /** Read every mail for signs of advertising, also where nothing follows. */
  readonly detectAlways?: boolean;
}

interface Compiled {
  readonly active: readonly Pack[];
  readonly local: DomainList;
  readonly waits: boolean;
}

/** Keys that do for themselves, and not together. */
function discords(config: Config, { active, local, waits }: Compiled): string[] {
  const problems: string[] = [];
  for (const { id, retention } of active) {
    if (retention?.logDays !== undefined && config.ledger.retentionDays < retention.logDays) {
      problems.push(
        `ledger.retentionDays: pack ${id} demands at least ${retention.logDays} (${retention.source.cite})`,
      );
    }
  }
  const { address } = config.refusals;
  if (address !== undefined && !local.has(address.slice(address.lastIndexOf("@") + 1))) {
    problems.push("refusals.address: its domain is none of localDomains, so nobody could write to it");
  }
  const { mode, verp, domain = config.hostname.toLowerCase() } = config.envelopeRewriting;
  if (verp !== "off" && config.nextHop.mode !== "queue") {
    problems.push("envelopeRewriting.verp: only with nextHop.mode: queue, where each recipient's copy can go alone");
  }
  if ((mode === "srs" || verp !== "off") && !local.has(domain)) {
    problems.push(`envelopeRewriting.domain: ${domain} is none of localDomains, so no bounce would come back`);
  }
  if (waits && config.nextHop.mode !== "queue") {
    problems.push(`rules."consent/scope".wait: only with nextHop.mode: queue, where a mail can wait`);
  }
  return problems;
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
  const local = domainList(config.localDomains);
  problems.push(...discords(config, { active: choice.active, local, waits: gateSettings(settings).waits }));
  if (problems.length > 0) throw new Misuse(`${file.path} cannot be used:`, inFileOrder(problems.map(file.place)));
  const signing = openSigning(config, { clock, isLocal: local.has });
  const hostname = config.hostname.toLowerCase();
  const site: Site = {
    ...{ hostname, isLocal: local.has, isOurId: ids.isOurs, ...(signing && { signs: signing.signs }) },
    returnsTo: ({ client }) => (client ? returnDomainOf(client, config) : undefined),
  };
  const { meter = NO_METER } = parts;
  const names = openNames(config.dns, clock, (ms, answered) => {
    meter.observe("consentry_dns_seconds", ms / 1_000);
    if (!answered) meter.count("consentry_dns_errors_total");
  });
  const judging = createPipeline({
    settings: parts.meter ? timedSettings(settings, meter) : settings,
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
    onFault(rule, error) {
      meter.count("consentry_rule_faults_total", rule);
      log.error({ rule, err: error }, "a rule has a bug: the mail is deferred");
    },
  });
  const pipeline = parts.meter ? timedPipeline(judging, meter) : judging;
  const smtp = smtpSettings(config);
  const gate = gateSettings(settings);
  const asks = { ...(names && { names }), sealing: openSealing(config, clock), signing, gate };
  return {
    config,
    path: file.path,
    text: file.text,
    packs,
    choice,
    site,
    pipeline,
    smtp,
    conduct: conductSettings(settings),
    ...asks,
  };
}

const smtpSettings = ({ limits, relayNetworks, trustedProxies }: Config): SmtpSettings => ({
  limits,
  relayNetworks: ipRanges(relayNetworks),
  trustedProxies: ipRanges(trustedProxies),
});

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
