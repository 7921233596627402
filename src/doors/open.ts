import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Admission } from "../admission/admission.ts";
import type { Config, Listener } from "../config/schema.ts";
import type { Explainer } from "../desk/explainer.ts";
import { readApiToken } from "../desk/open.ts";
import type { DeskService } from "../desk/service.ts";
import type { Tokens } from "../desk/tokens.ts";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/ids.ts";
import type { Log } from "../kit/log.ts";
import type { Store } from "../kit/store.ts";
import { Misuse } from "../kit/trouble.ts";
import { removeStaleSocket } from "../kit/unix-socket.ts";
import type { ClientReader } from "../registers/clients.ts";
import type { ConsentRegister } from "../registers/consents.ts";
import type { Site } from "../rules/define.ts";
import { admitting } from "./admitting.ts";
import type { IntakeParts } from "./course.ts";
import type { Certificate, Door } from "./door.ts";
import type { HttpParts } from "./http/listen.ts";
import { createIntake, type Intake } from "./intake.ts";
import { openSmtpDoor } from "./smtp/listen.ts";
import { createPerAddress, type Elsewhere } from "./smtp/per-address.ts";
import type { SmtpSettings } from "./smtp/relay.ts";

/** What the doors stand in. `law` is in force now: a reload replaces it. */
export interface DoorHouse {
  readonly clock: Clock;
  readonly log: Log;
  readonly ids: Ids;
  readonly store: Store;
  readonly clients: ClientReader;
  readonly consents: ConsentRegister;
  readonly tokens: Tokens;
  ledgerTrouble(): string | undefined;
  readonly law: { readonly config: Config; readonly site: Site; readonly smtp: SmtpSettings };
}

export interface DoorParts extends IntakeParts {
  /** The other workers' connections; absent where there is none. */
  readonly elsewhere?: Elsewhere | undefined;
  /** Who is let in while something is short; absent: everybody. */
  readonly admission?: Admission | undefined;
  readonly isDraining?: () => boolean;
  /** The figures of all workers, as Prometheus reads them. */
  readonly metrics: () => Promise<string>;
  /** Explains refusals to whoever opens their link; absent: nobody does. */
  readonly explainer?: Explainer;
}

const gated = (intake: Intake, house: DoorHouse, admission: Admission | undefined): Intake =>
  admission ? admitting(intake, admission, (domain) => house.law.site.isLocal(domain)) : intake;

/** Opens every listener of the configuration, or none. @throws Misuse when an address is taken or a file cannot be read */
export async function openDoors(house: DoorHouse, parts: DoorParts, desk: DeskService): Promise<Door[]> {
  const { config } = house.law;
  const spillDir = join(config.dataDir, "incoming");
  mkdirSync(spillDir, { recursive: true, mode: 0o700 });
  const shared = {
    intake: gated(createIntake(parts), house, parts.admission),
    clients: house.clients,
    log: house.log,
    spillDir,
    perAddress: createPerAddress(() => house.law.config.limits.connectionsPerIpMax, parts.elsewhere),
    settings: () => house.law.smtp,
  };
  const ofMta: Intake = {
    open: (session, hop, id) => shared.intake.open(session, hop && desk.inFrontOf(hop, false), id),
  };
  const milter = { intake: ofMta, newSessionId: house.ids.next, nowMs: house.clock.now, site: () => house.law.site };
  const certificate = certificateOf(config);
  const { connectionsMax } = config.limits;
  const http = httpPartsOf(house, parts, desk);
  // A door that nobody wants stays out of the memory of every worker.
  const open = async (listener: Listener): Promise<Door> => {
    const { door, listen, tls, packs, requireTls, proxyHeader, submissionDaemons } = listener;
    if (door === "metrics") {
      const { openMetricsDoor } = await import("./http/metrics-door.ts");
      return openMetricsDoor(listen, { metrics: parts.metrics, ready: http.ready });
    }
    if (door === "http") {
      const { openHttpDoor } = await import("./http/listen.ts");
      return openHttpDoor({ listen, certificate: tls === "implicit" ? certificate : undefined, connectionsMax }, http);
    }
    if (door === "milter") {
      const { openMilterDoor } = await import("./milter/listen.ts");
      return openMilterDoor(listen, { ...shared, ...milter, packs, submissionDaemons });
    }
    const role = door === "submission" ? "submission" : "mx";
    const options = { hostname: config.hostname, listen, tls, certificate };
    return openSmtpDoor(options, { ...shared, role, packs, requireTls, proxyHeader });
  };
  const doors: Door[] = [];
  try {
    for (const listener of config.listeners) {
      if ("path" in listener.listen) await clearPath(listener.listen.path);
      doors.push(await open(listener));
    }
    return doors;
  } catch (error) {
    await Promise.all(doors.map((door) => door.close(0)));
    throw error;
  }
}

/** @throws Misuse when somebody else listens there */
async function clearPath(path: string): Promise<void> {
  await removeStaleSocket(path).catch((error: Error) => {
    throw new Misuse(`cannot listen on unix:${path}: ${error.message}`);
  });
}

function httpPartsOf(house: DoorHouse, parts: DoorParts, { desk }: DeskService): HttpParts {
  const { clients, consents, tokens, log, store } = house;
  const apiToken = readApiToken(house.law.config);
  return {
    desk,
    tokens,
    explainer: parts.explainer,
    consents,
    log,
    apiToken: () => apiToken,
    isAdvertiser: async (name) => name.includes(".") || (await clients.byId(name)) !== undefined,
    async ready() {
      if (parts.isDraining?.()) throw new Error("this server is going down");
      const { level, shortage } = parts.admission ?? { level: 0, shortage: undefined };
      if (level > 0) throw new Error(`overloaded: ${shortage}`);
      const unwritten = house.ledgerTrouble();
      if (unwritten !== undefined) throw new Error(`the ledger cannot be written: ${unwritten}`);
      await store.ping();
      await parts.nextHop.ping();
    },
  };
}

/** @throws Misuse */
export function certificateOf({ tls }: Config): Certificate | undefined {
  if (!tls) return undefined;
  try {
    return { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
  } catch (error) {
    throw new Misuse(`tls: ${(error as Error).message}`);
  }
}
