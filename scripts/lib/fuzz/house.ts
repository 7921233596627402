/**
 * The whole service in this process, for targets that are doors: every rule, memory as store, a real next hop that keeps what it gets, a real
 * DNS server beside it. What it logs as a bug is a finding.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../../src/config/load.ts";
import { buildHouse, type House } from "../../../src/house.ts";
import { createLog, type Log } from "../../../src/kit/log.ts";
import type { Entry } from "../../../src/ledger/entry.ts";
import type { Journal, Urgency } from "../../../src/ledger/journal.ts";
import { createRecorder } from "../../../src/ledger/recorder.ts";
import { openHouse } from "../../../src/main.ts";
import { type KeepingSink, startKeepingSink } from "../../bench/lib/keeping-sink.ts";
import { startDnsServer, zoneOf } from "../dns/server.ts";
import { anotherTurn, Broken } from "./target.ts";

export interface FuzzedHouse {
  readonly sink: KeepingSink;
  /** Where its only door listens: port of 127.0.0.1. */
  readonly port: number;
  readonly house: House;
  /** Entries that were durable by now, by mail; each is told once. */
  takeEntries(): ReadonlyMap<string, readonly Entry[]>;
  /** Waits until whatever goes on without a client has been written down. */
  settled(): Promise<void>;
  /** @throws Broken when something was logged as a bug since it was asked last */
  noFaults(): void;
  close(): Promise<void>;
}

export const API_TOKEN = "a-token-for-the-api-of-fuzzing";
const ZONE = [
  "stranger.example TXT v=spf1 ip4:127.0.0.0/8 -all",
  "stranger.example MX 10 mx.stranger.example",
  "mx.stranger.example A 127.0.0.1",
  "_dmarc.strict.example TXT v=DMARC1; p=reject",
  "1.0.0.127.in-addr.arpa PTR mx.stranger.example",
];

export interface HouseOptions {
  /** Its one listener, as the configuration has it. */
  readonly listener: string;
  readonly limits?: string;
  /** Is there DNS? */
  readonly dns?: boolean;
}

export async function openFuzzedHouse(options: HouseOptions): Promise<FuzzedHouse> {
  const dir = mkdtempSync(join(tmpdir(), "consentry-fuzz-"));
  const sink = await startKeepingSink();
  const dns = await startDnsServer({ zone: zoneOf(ZONE) });
  const file = join(dir, "consentry.yaml");
  const lines = [
    "hostname: relay.example.net",
    `listeners: [${options.listener}]`,
    "localDomains: [example.com]",
    `dataDir: ${join(dir, "data")}`,
    'store: { url: "memory:" }',
    `nextHop: { to: "smtp://127.0.0.1:${sink.port}" }`,
    `refusals: { apiTokenFile: ${join(dir, "token")} }`,
    ...(options.dns ? [`dns: { servers: ["${dns.address}"] }`] : []),
    ...(options.limits ? [`limits: { ${options.limits} }`] : []),
    "log: { level: silent }",
  ];
  writeFileSync(join(dir, "token"), API_TOKEN, { mode: 0o600 });
  writeFileSync(file, `${lines.join("\n")}\n`);
  const faults: string[] = [];
  const built = await buildHouse(loadConfig(file, {}), listeningLog(faults));
  let pending = 0;
  let entries = new Map<string, Entry[]>();
  const journal: Journal = Object.assign(Object.create(built.journal) as Journal, {
    async append(these: readonly Entry[], urgency?: Urgency) {
      pending += 1;
      await built.journal.append(these, urgency).finally(() => {
        pending -= 1;
      });
      for (const entry of these) {
        if (entry.mailId === undefined) continue;
        const known = entries.get(entry.mailId);
        if (known) known.push(entry);
        else entries.set(entry.mailId, [entry]);
      }
    },
  });
  const house = { ...built, journal, recorder: createRecorder(journal, built.ids, built.clock) };
  const service = await openHouse(house);
  return {
    sink,
    port: Number(/:(\d+)$/.exec(service.addresses[0] ?? "")?.[1]),
    house,
    takeEntries() {
      const taken = entries;
      entries = new Map();
      return taken;
    },
    async settled() {
      for (let quiet = 0; quiet < QUIET_TURNS; quiet = pending > 0 ? 0 : quiet + 1) await anotherTurn();
    },
    noFaults() {
      const [fault] = faults.splice(0);
      if (fault !== undefined) throw new Broken(`logged as a bug: ${fault}`);
    },
    async close() {
      await service.close();
      await Promise.all([sink.close(), dns.stop()]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A log that keeps what only a bug writes. */
function listeningLog(faults: string[]): Log {
  const log = createLog("silent");
  const keep = (what: object | string, said = ""): void => {
    const error = typeof what === "object" && "err" in what ? (what.err as Error) : undefined;
    faults.push(`${said}: ${error?.stack?.split("\n").slice(0, 3).join(" ") ?? ""}`);
  };
  return Object.assign(Object.create(log) as Log, { error: keep, fatal: keep });
}

/** With no DNS to wait for, a mail whose client has gone is written down before so many turns are over. */
const QUIET_TURNS = 40;
const PATIENCE_MS = 15_000;
/** Who has heard nothing for so long has nothing more to say either. */
const SILENCE_MS = 1_000;

/**
 * Says bytes to a port, cut where it is told, and hears everything until the other side ends it, or both are silent.
 * @throws Broken when for fifteen seconds nothing is said and nothing ends
 */
export async function sayAll(port: number, pieces: readonly Buffer[]): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const heard: Buffer[] = [];
  const over = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  socket.on("error", () => undefined);
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    await anotherTurn();
  }
  let late = false;
  const silence = setTimeout(() => socket.end(), SILENCE_MS);
  const patience = setTimeout(() => {
    late = true;
    socket.destroy();
  }, PATIENCE_MS);
  socket.on("data", (piece: Buffer) => {
    heard.push(piece);
    silence.refresh();
    patience.refresh();
  });
  await over;
  clearTimeout(silence);
  clearTimeout(patience);
  if (late) throw new Broken(`for ${PATIENCE_MS} ms nothing is said and nothing ends`);
  return Buffer.concat(heard);
}
