/**
 * scripts/bench/authenticity: one worker with every rule about who sent a mail, its DNS cache warm, beside the same without these
 * rules, alternating in one run; unsigned and DKIM-signed mail of 4 KB. Then the same with a DNS server that takes 200 ms to answer and
 * a hundred sessions, after a first minute to warm up. Ratios count; absolute figures are this machine's today.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeHouse } from "./lib/house.ts";
import { cpuSeconds, freePort, type Running, start, untilListening } from "./lib/processes.ts";
import { median, report } from "./lib/report.ts";
import { makeKey, writeMail } from "./lib/signed-mail.ts";
import { send, startSink } from "./lib/traffic.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const CLI = join(HERE, "../../src/commands/index.ts");
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const MAILS = Number(process.env.MAILS ?? 6000);
const SESSIONS = Number(process.env.SESSIONS ?? 20);
const BYTES = Number(process.env.BYTES ?? 3600);
const SLOW_MS = 200;
const SLOW_SESSIONS = 100;
const SLOW_TTL_S = Number(process.env.TTL ?? 300);
const WARM_UP_S = Number(process.env.WARM_UP ?? 60);

if (process.argv.includes("--help")) {
  console.log(
    "scripts/bench/authenticity   (environment: ROUNDS, MAILS a round, SESSIONS, BYTES of text, WARM_UP seconds, TTL seconds)",
  );
  process.exit(0);
}

const work = mkdtempSync(join(tmpdir(), "consentry-bench-"));
const SENDER = "writer@stranger.example";
const RECIPIENT = "reader@example.com";
const HELO = "client.stranger.example";
const key = makeKey();
const ZONE = [
  "stranger.example TXT v=spf1 include:_spf.stranger.example -all",
  "_spf.stranger.example TXT v=spf1 ip4:192.0.2.0/24 ip4:127.0.0.0/8 ~all",
  "stranger.example MX 10 mx.stranger.example",
  "_dmarc.stranger.example TXT v=DMARC1; p=reject; rua=mailto:reports@stranger.example",
  `bench._domainkey.stranger.example TXT ${key.record}`,
  `${HELO} A 127.0.0.1`,
  `${HELO} TXT v=spf1 a -all`,
  `1.0.0.127.in-addr.arpa PTR ${HELO}`,
];
const RULES = ["authenticity", "reverse-dns", "helo-resolves", "sender-domain"].map((name) => `envelope/${name}`);

interface Contender extends Running {
  readonly port: number;
}

interface Dns extends Running {
  readonly address: string;
}

async function startDns(delayMs: number, ttlS: number): Promise<Dns> {
  const child = spawn(
    process.execPath,
    [join(HERE, "lib/dns-zone.ts"), String(delayMs), String(ttlS), JSON.stringify(ZONE)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const stop = async (): Promise<void> => {
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    await gone;
  };
  return { child, pid: child.pid ?? 0, address: line.toString().trim(), stop };
}

async function consentry(name: string, sinkPort: number, dns?: Dns): Promise<Contender> {
  const port = await freePort();
  const off = RULES.map((rule) => `  "${rule}": off`);
  const more = dns ? [`dns: { servers: ["${dns.address}"] }`] : ["rules:", ...off];
  const config = writeHouse(mkdtempSync(join(work, `${name}-`)), { port, sinkPort, more });
  const running = start(process.execPath, [CLI, "serve", "--config", config]);
  await untilListening(port);
  return { ...running, port };
}

interface Round {
  readonly rate: number;
  readonly cpuMs: number;
}

async function measure(contender: Contender, file: string, sessions = SESSIONS): Promise<Round> {
  const cpu = cpuSeconds(contender.pid);
  const seconds = await send(contender.port, {
    mails: MAILS,
    sessions,
    bytes: BYTES,
    sender: SENDER,
    recipient: RECIPIENT,
    file,
  });
  return { rate: MAILS / seconds, cpuMs: ((cpuSeconds(contender.pid) - cpu) / MAILS) * 1000 };
}

/** smtp-source writes line ends itself. */
async function mailFile(name: string, signed: boolean): Promise<string> {
  const signer = { domain: "stranger.example", selector: "bench", privateKey: key.privateKey };
  const mail = await writeMail(SENDER, RECIPIENT, { textBytes: BYTES, ...(signed && { signer }) });
  const path = join(work, name);
  writeFileSync(path, mail.toString("latin1").replace(/\r\n/g, "\n"), "latin1");
  return path;
}

const middle = (rounds: readonly Round[], what: keyof Round): number => median(rounds.map((round) => round[what]));

/** Of two that took turns: each round beside the one next to it, because the machine's pace changes from minute to minute. */
const ratio = (rounds: readonly Round[], beside: readonly Round[]): number =>
  median(rounds.map((round, index) => round.rate / (beside[index]?.rate ?? Number.NaN)));

/** Rounds of every contender in turn. */
async function alternate(contenders: readonly Contender[], file: string, sessions = SESSIONS): Promise<Round[][]> {
  const rounds: Round[][] = contenders.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, contender] of contenders.entries())
      rounds[index]?.push(await measure(contender, file, sessions));
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
  return rounds;
}

const running: { stop(): Promise<void> }[] = [];
try {
  const sink = await startSink();
  running.push(sink);
  const dns = await startDns(0, 3600);
  const slowDns = await startDns(SLOW_MS, SLOW_TTL_S);
  running.push(dns, slowDns);
  const without = await consentry("without", sink.port);
  const with_ = await consentry("with", sink.port, dns);
  const slow = await consentry("slow", sink.port, slowDns);
  running.unshift(without, with_, slow);
  const unsigned = await mailFile("unsigned.eml", false);
  const signed = await mailFile("signed.eml", true);
  // Whoever comes first would be measured while its code is still being compiled.
  for (const file of [unsigned, signed]) for (const contender of [without, with_]) await measure(contender, file);
  const [plainBase = [], plain = []] = await alternate([without, with_], unsigned);
  const [signedBase = [], dkim = []] = await alternate([without, with_], signed);
  const warmUntil = Date.now() + WARM_UP_S * 1000;
  while (Date.now() < warmUntil) await measure(slow, signed, SLOW_SESSIONS);
  const [quick = [], late = []] = await alternate([with_, slow], signed, SLOW_SESSIONS);
  console.log(`${MAILS} mails of ${BYTES} bytes of text a round, ${SESSIONS} sessions, ${ROUNDS} rounds, medians`);
  report("authenticity", [
    {
      name: "unsigned: with / without these rules",
      value: ratio(plain, plainBase),
      target: 0.8,
      unit: "x",
    },
    {
      name: "DKIM-signed: with / without these rules",
      value: ratio(dkim, signedBase),
      target: 0.4,
      unit: "x",
    },
    {
      name: `DNS in ${SLOW_MS} ms, ${SLOW_SESSIONS} sessions / warm`,
      value: ratio(late, quick),
      target: 0.9,
      unit: "x",
    },
    {
      name: "unsigned: CPU of these rules",
      value: middle(plain, "cpuMs") - middle(plainBase, "cpuMs"),
      unit: "ms a mail",
    },
    {
      name: "DKIM-signed: CPU of these rules",
      value: middle(dkim, "cpuMs") - middle(signedBase, "cpuMs"),
      unit: "ms a mail",
    },
    { name: "unsigned: CPU without", value: middle(plainBase, "cpuMs"), unit: "ms a mail" },
    { name: "DKIM-signed: CPU without", value: middle(signedBase, "cpuMs"), unit: "ms a mail" },
    { name: "unsigned: rate without", value: middle(plainBase, "rate"), unit: "mails/s" },
    { name: "unsigned: rate with", value: middle(plain, "rate"), unit: "mails/s" },
    { name: "DKIM-signed: rate without", value: middle(signedBase, "rate"), unit: "mails/s" },
    { name: "DKIM-signed: rate with", value: middle(dkim, "rate"), unit: "mails/s" },
  ]);
} finally {
  for (const each of running) await each.stop();
  rmSync(work, { recursive: true, force: true });
}
