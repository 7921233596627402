/**
 * Killed at any moment under load, with a next hop that fails at random: every mail that was answered 250 arrives at least once, nothing arrives
 * that no client sent to its end, and each mail that arrives twice is one whose first delivery nobody heard of.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import type { SpoolDesk } from "../../src/delivery/queue/spool.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { ledgerPlace, openLedgerReader } from "../../src/stores/open-ledger.ts";
import { openSpoolDesk } from "../../src/stores/spool/desk.ts";
import { type ChaosHop, startChaos, type Taken } from "../helpers/chaos-hop.ts";
import { type Program, startNode } from "../helpers/process.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

const CLI = fileURLToPath(new URL("../../src/commands/index.ts", import.meta.url));
/** QUEUE_CRASH_ROUNDS=200 for the long run. */
const ROUNDS = Number(process.env.QUEUE_CRASH_ROUNDS ?? 6);
/** No round begins after that. */
const MINUTES_MAX = Number(process.env.QUEUE_CRASH_MINUTES ?? 240);
const SESSIONS = 20;
const ROUND_MS_MAX = 60_000;
/** Between a delivery and the kill that keeps us from remembering it: an entry and a commit on a busy disk. */
const UNKNOWN_MS = 3_000;

interface Client {
  /** Answered 250. */
  readonly said: Set<string>;
  /** The whole mail went out, and no answer came. */
  readonly unknown: Set<string>;
}

const clients: Client = { said: new Set(), unknown: new Set() };
let made = 0;

/** Sends mail after mail until the server is gone. */
async function send(port: number): Promise<void> {
  const client = await openSmtp(port);
  if (!(await client.say("EHLO pc.shop.example")).startsWith("250")) return;
  for (;;) {
    made += 1;
    const id = `m${made}`;
    const size = made % 50 === 0 ? 700_000 : 2_000;
    const content = `From: a@shop.example\r\nTo: b@example.com\r\nDate: ${new Date().toUTCString()}\r\nSubject: ${id}\r\n\r\n${"x"
      .repeat(70)
      .concat("\r\n")
      .repeat(size / 72)}`;
    const heard = await client.mail({ from: "a@shop.example", to: ["b@example.com"], content });
    const end = heard.length === 4 ? heard[3] : undefined;
    if (end?.startsWith("250")) clients.said.add(id);
    else if (end === "") clients.unknown.add(id);
    if (end === undefined || end === "") return client.end();
  }
}

async function serve(config: string): Promise<{ program: Program; port: number }> {
  const program = await startNode(CLI, ["serve", "--config", config]);
  const line = await program.waitForLine(/"listening"/, 40_000);
  return { program, port: Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]) };
}

const children = async (pid: number): Promise<number[]> => {
  const { readFileSync } = await import("node:fs");
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").filter(Boolean).map(Number);
};

/** Alternately the whole service, the process that takes in, and one that delivers. */
async function kill(program: Program, round: number): Promise<void> {
  const delivering = await children(program.pid);
  if (round % 3 !== 1) for (const pid of delivering) process.kill(pid, "SIGKILL");
  if (round % 3 === 2) {
    await delay(1_500);
    for (const pid of await children(program.pid)) process.kill(pid, "SIGKILL");
  }
  program.signal("SIGKILL");
  await program.exited;
}

/** What hundreds of rounds left behind takes its time: it is waited for as long as mails arrive. */
async function drained(desk: SpoolDesk, chaos: ChaosHop): Promise<void> {
  const isEmpty = async (): Promise<boolean> => {
    for await (const _ of desk.list({ limit: 1 })) return false;
    return true;
  };
  for (;;) {
    const before = chaos.taken.length;
    const hasMoved = async (): Promise<boolean> => (await isEmpty()) || chaos.taken.length > before;
    await until("the queue is empty, or a mail arrives", hasMoved, 120_000);
    if (await isEmpty()) return;
    await delay(1_000);
  }
}

/** How long after each of them the next kill came, and when it was delivered again. */
const unexplained = (deliveries: readonly Taken[], kills: readonly number[]): string[] =>
  deliveries.slice(0, -1).flatMap(({ id, isSaid, atMs }, index) => {
    if (!isSaid || kills.some((at) => at >= atMs - 50 && at - atMs < UNKNOWN_MS)) return [];
    const killMs = (kills.find((at) => at >= atMs) ?? Number.NaN) - atMs;
    return [
      `${id}: killed ${killMs} ms after it was taken, delivered again after ${(deliveries[index + 1]?.atMs ?? 0) - atMs} ms`,
    ];
  });

it(
  `loses nothing and invents nothing over ${ROUNDS} kills at random moments`,
  async () => {
    const dir = tempDir();
    const chaos = await startChaos(0.1);
    const config = join(dir, "consentry.yaml");
    const lines = [
      "hostname: relay.example.net",
      'listeners: [{ door: smtp, listen: "127.0.0.1:0" }]',
      "localDomains: [example.com]",
      `dataDir: ${join(dir, "data")}`,
      `nextHop: { to: "smtp://127.0.0.1:${chaos.port}", mode: queue, tls: never }`,
      "queue: { retrySeconds: [1], destinationRetrySeconds: [1], jitter: 0, reserveMb: 1, inlineBytesMax: 65536 }",
      "rules: { default: off }",
      "log: { level: info, format: json }",
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    const kills: number[] = [];
    let rounds = 0;
    const endsAt = Date.now() + MINUTES_MAX * 60_000;
    for (let round = 0; round < ROUNDS && Date.now() < endsAt; round += 1) {
      rounds += 1;
      const { program, port } = await serve(config);
      const sending = Array.from({ length: SESSIONS }, () => send(port).catch(() => undefined));
      const before = chaos.taken.length;
      // Some die while those that deliver are still starting, most in the middle of delivering.
      if (round % 4 !== 3) await until("it delivers", () => chaos.taken.length > before, 30_000);
      await delay(Math.random() * 1_500);
      kills.push(Date.now());
      await kill(program, round);
      kills.push(Date.now());
      await Promise.all(sending);
      if (rounds % 20 === 0)
        process.stderr.write(`${rounds}: ${clients.said.size} answered 250, ${chaos.taken.length} deliveries\n`);
    }
    chaos.failures = 0;
    const { program } = await serve(config);
    const desk = openSpoolDesk(join(dir, "data", "spool"), 10_000);
    await drained(desk, chaos);
    await desk.close();
    await program.stop();
    await chaos.stop();

    const byId = Map.groupBy(chaos.taken, ({ id }) => id);
    const twice = [...byId.values()].filter((deliveries) => deliveries.length > 1);
    const unsaid = twice.filter((each) => each.some(({ isSaid }) => !isSaid)).length;
    process.stderr.write(
      `${rounds} kills: ${clients.said.size} answered 250, ${clients.unknown.size} unanswered, ${byId.size} arrived in ${chaos.taken.length} deliveries, ` +
        `${twice.length} of them twice or more (${unsaid}: the next hop took it and did not say so; the others: killed before it was written down)\n`,
    );
    expect(
      [...clients.said].filter((id) => !byId.has(id)),
      "answered 250 and lost",
    ).toEqual([]);
    const sent = (id: string): boolean => clients.said.has(id) || clients.unknown.has(id);
    expect(
      [...byId.keys()].filter((id) => !sent(id)),
      "arrived, though no client sent it to its end",
    ).toEqual([]);
    expect(
      twice.flatMap((deliveries) => unexplained(deliveries, kills)),
      "arrived twice for no reason",
    ).toEqual([]);
    // A long run sees hours end, and what is in them leave for the archive.
    const place = ledgerPlace(loadConfig(config).config);
    const journal = await openJournal(place.journalDir);
    const reader = await openLedgerReader(place, journal);
    const handedOver = new Set<string>();
    for await (const { mailId = "" } of reader.find({ event: "handed-over" })) handedOver.add(mailId);
    await reader.close();
    await journal.close();
    expect(handedOver.size, "each mail that arrived has its entry").toBe(byId.size);
    expect(clients.said.size).toBeGreaterThan(rounds * 5);
  },
  ROUNDS * ROUND_MS_MAX + 900_000,
);
