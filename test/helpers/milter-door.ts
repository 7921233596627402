/** The milter door with real intake behind it, and an MTA's side of a conversation with it. */
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { onTestFinished } from "vitest";
import type { Endpoint } from "../../src/config/schema.ts";
import { createIntake } from "../../src/doors/intake.ts";
import { SMFIC } from "../../src/doors/milter/constants.ts";
import { createMilterSession } from "../../src/doors/milter/door.ts";
import type { MilterFault } from "../../src/doors/milter/handler.ts";
import { milterOptions } from "../../src/doors/milter/listen.ts";
import { milterSettings } from "../../src/doors/milter/options.ts";
import { serveMilter } from "../../src/doors/milter/protocol.ts";
import { createIds } from "../../src/kit/ids.ts";
import { ipRanges } from "../../src/kit/ip.ts";
import { createLog } from "../../src/kit/log.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { createRecorder } from "../../src/ledger/recorder.ts";
import type { Client } from "../../src/mail/client.ts";
import type { Rule } from "../../src/rules/define.ts";
import { createMemoryJournal } from "../../src/stores/memory/journal.ts";
import { handClock } from "./hand-clock.ts";
import { letter } from "./letters-now.ts";
import { type MilterClient, milterClient, type Offer, openMilterClient, type Seen } from "./milter-client.ts";
import { type Overrides, type RunningService, startService } from "./service.ts";
import { pipelineOf, settingOf } from "./settings.ts";
import { tempDir } from "./temp.ts";

/** The whole service with a milter door on a unix socket. */
export interface MilterService extends RunningService {
  readonly path: string;
  /** A new connection of an MTA, negotiated. */
  mta(offer?: Offer): Promise<MilterClient>;
}

export async function startMilterService(overrides: Overrides = {}, dir = tempDir()): Promise<MilterService> {
  const path = join(dir, "milter.sock");
  const service = await startService({ listeners: [{ door: "milter", listen: `unix:${path}` }], ...overrides });
  const mta = async (offer?: Offer): Promise<MilterClient> => {
    const client = openMilterClient({ path });
    onTestFinished(() => client.destroy());
    await client.negotiate(offer);
    return client;
  };
  return { ...service, path, mta };
}

/** A door whose rules, ledger and bounds the test chooses; the service's own where it does not matter. */
export interface DoorSetup {
  readonly rules?: readonly Rule[];
  /** What is called before entries are kept; a throw is a ledger that cannot be written. */
  readonly onAppend?: (entries: readonly Entry[]) => void | Promise<void>;
  readonly clients?: readonly Client[];
  /** The register does not answer. */
  readonly registerAway?: () => boolean;
  readonly limits?: Readonly<Record<string, number>>;
  readonly spillDir?: string;
  readonly offer?: Offer;
  /** As if it listened there; absent: a unix socket. */
  readonly listen?: Endpoint;
  readonly relayNetworks?: readonly string[];
  readonly trustedProxies?: readonly string[];
}

const LIMITS = {
  mailBytesMax: 1_000_000,
  memoryBytesPerMailMax: 100_000,
  headerBytesMax: 20_000,
  headersMax: 100,
  recipientsMax: 10,
  connectionsMax: 10,
};

/** One connection in memory, negotiated. */
export async function openDoor(setup: DoorSetup = {}) {
  const clock = handClock();
  const ids = createIds(clock, Buffer.alloc(32, 1));
  const kept = createMemoryJournal();
  const journal = {
    ...kept,
    async append(entries: readonly Entry[]) {
      await setup.onAppend?.(entries);
      await kept.append(entries);
    },
  };
  const log = createLog("silent");
  const intake = createIntake({
    pipeline: pipelineOf((setup.rules ?? []).map((rule, rank) => settingOf(rule, { rank }))).pipeline,
    // Never asked: this door is its own.
    nextHop: { name: "none", begin: never, ping: never, close: never },
    quotas: { giveBack: async () => {} },
    ids,
    clock,
    log,
    receivedMax: 50,
    recorder: createRecorder(journal, ids, clock),
    hostname: "relay.example.net",
    isLocal: (domain) => domain === "example.com",
  });
  const settings = {
    limits: { ...LIMITS, ...setup.limits },
    relayNetworks: ipRanges(setup.relayNetworks ?? []),
    trustedProxies: ipRanges(setup.trustedProxies ?? []),
  };
  const find = async (is: (client: Client) => boolean): Promise<Client | undefined> => {
    if (setup.registerAway?.()) throw new Unavailable("store", "away");
    return setup.clients?.find(is);
  };
  const parts = {
    intake,
    log,
    clients: {
      byId: (id: string) => find((client) => client.id === id),
      byNetwork: (ip: string) => find(({ networks }) => ipRanges(networks).has(ip)),
      authenticate: never,
    },
    spillDir: setup.spillDir ?? "/nonexistent",
    newSessionId: ids.next,
    nowMs: clock.now,
    site: () => ({ hostname: "relay.example.net", isOurId: ids.isOurs }),
    settings: () => settings,
    submissionDaemons: ["ORIGINATING"],
  };
  const faults: MilterFault[] = [];
  const options = {
    ...milterOptions(setup.listen ?? { path: "/in/memory" }, settings.limits),
    onFault: (fault: MilterFault) => void faults.push(fault),
  };
  const [ours, theirs] = duplexPair({ allowHalfOpen: false });
  theirs.on("close", () => ours.destroy());
  const connection = serveMilter(ours, (peer) => createMilterSession(parts, peer), milterSettings(options));
  const mta = milterClient(theirs);
  await mta.negotiate(setup.offer);
  const entries = async (): Promise<Entry[]> => {
    const found: Entry[] = [];
    for await (const entry of kept.find({})) found.push(entry);
    return found;
  };
  return { mta, connection, entries, faults, ids, clock };
}

function never(): never {
  throw new Error("nobody should ask");
}

export interface ToldMail {
  /** Path as the client wrote it, then parameters. */
  readonly from?: readonly string[];
  readonly to?: readonly (readonly string[])[];
  /** Header block and body, lines ended by \n. */
  readonly text?: string;
  readonly login?: string;
  readonly queueId?: string;
}

/** What the MTA heard: undefined where it was not asked. */
export interface Heard {
  readonly mail: string;
  readonly rcpts: readonly string[];
  /** The answer to the end of the mail. */
  readonly end: string;
  readonly edits: readonly string[];
}

/** An answer in short: "ok", or the reply's text; edits as their letter and arguments. */
export const spoken = (seen: Seen | undefined): string =>
  seen === undefined
    ? "closed"
    : ({ c: "ok", y: seen.parts[0] }[seen.letter] ?? [seen.letter, ...seen.parts].join(" "));

/** Greets as a stranger's server. */
export async function greet(mta: MilterClient, ip = "203.0.113.9", helo = "mx.sender.example"): Promise<void> {
  mta.macro(SMFIC.CONNECT, { "{daemon_name}": "mail.example.com", "{daemon_addr}": "192.0.2.25" });
  await mta.connect("client.sender.example", ip, 40_025);
  await mta.helo(helo);
}

/** One mail as far as it gets. */
export async function tellMail(mta: MilterClient, mail: ToldMail = {}): Promise<Heard> {
  const heard = { mail: "", rcpts: [] as string[], end: "", edits: [] as string[] };
  if (mail.login !== undefined) mta.macro(SMFIC.MAIL, { "{auth_authen}": mail.login });
  heard.mail = spoken(await mta.mail(...(mail.from ?? ["<bob@sender.example>"])));
  if (heard.mail !== "ok") return heard;
  for (const args of mail.to ?? [["<ann@example.com>"]]) heard.rcpts.push(spoken(await mta.rcpt(...args)));
  if (!heard.rcpts.includes("ok")) return heard;
  const answers = await tellContent(mta, mail.text ?? letter(), mail.queueId);
  heard.end = spoken(answers.at(-1));
  heard.edits.push(...answers.slice(0, -1).map(spoken));
  return heard;
}

/** From DATA to the end of the mail. */
export async function tellContent(mta: MilterClient, text: string, queueId = "4QwErTy"): Promise<Seen[]> {
  const [head = "", ...rest] = text.split("\n\n");
  await mta.data();
  for (const field of head.split(/\n(?![ \t])/).filter((line) => line !== "")) {
    const colon = field.indexOf(":");
    await mta.header(field.slice(0, colon), field.slice(colon + 1));
  }
  await mta.endOfHeaders();
  const body = rest.join("\n\n").replaceAll("\n", "\r\n");
  if (body !== "") await mta.body(body);
  mta.macro(SMFIC.BODYEOB, { i: queueId });
  return mta.endOfMessage();
}
