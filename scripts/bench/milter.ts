/**
 * scripts/bench/milter: smtp-source -> Postfix + our milter (every rule enforcing, embedded store, ledger durable) -> smtp-sink,
 * beside Postfix alone, with a do-nothing C milter, with OpenDKIM and with rspamd, on unix and TCP sockets, alternating in one run.
 * One Postfix, one port for each. Ratios count; absolute figures are this machine's today.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Postfix, startPostfix } from "../../test/helpers/postfix.ts";
import { startDnsStub } from "./lib/dns-stub.ts";
import { type Filter, startConsentry, startNull, startOpendkim, startRspamd } from "./lib/filters.ts";
import { latencies, percentile } from "./lib/latency.ts";
import { gather } from "./lib/milter-crowd.ts";
import { freePort, peakMemoryMb } from "./lib/processes.ts";
import { median, type Result, report } from "./lib/report.ts";
import { send, startSink, type Traffic } from "./lib/traffic.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const MAILS = Number(process.env.MAILS ?? 2000);
const SESSIONS = Number(process.env.SESSIONS ?? 20);
const BYTES = Number(process.env.BYTES ?? 4096);
/** One after the other over one connection, a round. */
const TIMED_MAILS = Number(process.env.TIMED_MAILS ?? 200);
const CROWD = 500;
const CROWD_MAIL_BYTES = 300_000;
const DRAIN_MS_MAX = 120_000;

if (process.argv.includes("--help")) {
  console.log("scripts/bench/milter   (environment: ROUNDS, MAILS a round, SESSIONS, BYTES of payload, TIMED_MAILS)");
  process.exit(0);
}

const traffic: Traffic = {
  mails: MAILS,
  sessions: SESSIONS,
  bytes: BYTES,
  sender: "writer@stranger.example",
  recipient: "reader@example.com",
};

interface Contender {
  readonly name: string;
  readonly port: number;
  readonly filter?: Filter;
  readonly rates: number[];
  readonly times: number[];
  cpu: number;
  mails: number;
}

const work = mkdtempSync(join(tmpdir(), "consentry-bench-"));
chmodSync(work, 0o755);
const sink = await startSink();
const dns = await startDnsStub();
const filters: Filter[] = [];
let postfix: Postfix | undefined;

async function openPostfix(): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const filter of [undefined, ...filters]) {
    contenders.push({
      name: filter ? `Postfix + ${filter.name}` : "Postfix alone",
      port: await freePort(),
      ...(filter && { filter }),
      rates: [],
      times: [],
      cpu: 0,
      mails: 0,
    });
  }
  postfix = await startPostfix({
    mainCf: [
      `relayhost = [127.0.0.1]:${sink.port}`,
      "virtual_mailbox_domains =",
      "smtpd_relay_restrictions = permit_mynetworks, reject",
      "smtpd_recipient_restrictions =",
      "in_flow_delay = 0",
      "smtp_destination_concurrency_limit = 100",
      "default_process_limit = 200",
      "milter_default_action = tempfail",
    ],
    masterCf: contenders.map(
      ({ port, filter }) =>
        `127.0.0.1:${port} inet n - n - - smtpd -o smtpd_milters=${filter?.address ?? ""} -o syslog_name=bench`,
    ),
  });
  return contenders;
}

/** Waits until everything is delivered, so that one contender's mail is not another's load. */
async function drained(): Promise<void> {
  const queue = join(postfix?.directory ?? "", "queue");
  const endMs = performance.now() + DRAIN_MS_MAX;
  for (;;) {
    const counts = await Promise.all(
      ["incoming", "active", "deferred"].map(async (part) => {
        const entries = await readdir(join(queue, part), { recursive: true, withFileTypes: true });
        return entries.filter((entry) => entry.isFile()).length;
      }),
    );
    if (counts.every((count) => count === 0)) return;
    if (performance.now() > endMs) throw new Error(`${counts} mails are still in Postfix's queue`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function measure(contender: Contender): Promise<void> {
  const before = contender.filter?.cpuSeconds() ?? 0;
  const seconds = await send(contender.port, traffic);
  contender.rates.push(MAILS / seconds);
  contender.cpu += (contender.filter?.cpuSeconds() ?? 0) - before;
  contender.mails += MAILS;
  await drained();
  contender.times.push(...(await latencies(contender.port, TIMED_MAILS, BYTES)));
  await drained();
}

/** Half a thousand MTAs in the middle of a mail. @returns memory before and at the most, MB, and how many were accepted */
async function crowd(filter: Filter): Promise<{ before: number; after: number; accepted: number }> {
  const before = peakMemoryMb(filter.pid);
  const gathered = await gather(filter.to, CROWD, CROWD_MAIL_BYTES);
  const accepted = await gathered.finish();
  return { before, after: peakMemoryMb(filter.pid), accepted };
}

try {
  const ours = [await startConsentry(work, "unix"), await startConsentry(work, "tcp")];
  filters.push(...ours, await startNull(work, "unix"), await startNull(work, "tcp"));
  filters.push(await startOpendkim(work, "unix"), await startOpendkim(work, "tcp"));
  filters.push(await startRspamd(work, "unix", dns.port, 4), await startRspamd(work, "tcp", dns.port, 4));
  const contenders = await openPostfix();
  for (const { port } of contenders) await send(port, { ...traffic, mails: Math.min(MAILS, 300) });
  await drained();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const contender of contenders) await measure(contender);
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
  const crowded = await crowd(ours[0] as Filter);
  console.log(`${MAILS} mails of ${BYTES} bytes a round, ${SESSIONS} sessions, ${ROUNDS} rounds, medians`);
  report("milter", results(contenders, crowded));
} finally {
  await postfix?.stop();
  for (const filter of filters) await filter.stop();
  await dns.stop();
  await sink.stop();
  rmSync(work, { recursive: true, force: true });
}

function results(contenders: readonly Contender[], crowded: Awaited<ReturnType<typeof crowd>>): Result[] {
  const named = (part: string): Contender => {
    const found = contenders.find(({ name }) => name.includes(part));
    if (!found) throw new Error(`nobody is called ${part}`);
    return found;
  };
  const ratio = (a: string, b: string): number => median(named(a).rates) / median(named(b).rates);
  const alone = percentile(named("alone").times, 0.99);
  const perThousand = ({ cpu, mails }: Contender): number => (cpu / mails) * 1000;
  return [
    {
      name: "unix: consentry / do-nothing milter",
      value: ratio("consentry, unix", "do-nothing milter, unix"),
      target: 0.9,
      unit: "x",
    },
    {
      name: "TCP: consentry / do-nothing milter",
      value: ratio("consentry, tcp", "do-nothing milter, tcp"),
      target: 0.9,
      unit: "x",
    },
    {
      name: "unix: consentry / rspamd, 4 workers",
      value: ratio("consentry, unix", "4 workers, unix"),
      target: 1.7,
      unit: "x",
    },
    {
      name: "TCP: consentry / rspamd, 4 workers",
      value: ratio("consentry, tcp", "4 workers, tcp"),
      target: 1.7,
      unit: "x",
    },
    { name: "unix: consentry / OpenDKIM", value: ratio("consentry, unix", "OpenDKIM, unix"), unit: "x" },
    { name: "unix: consentry / Postfix alone", value: ratio("consentry, unix", "alone"), unit: "x" },
    ...contenders.map((each) => ({ name: `${each.name}: rate`, value: median(each.rates), unit: "mails/s" })),
    ...contenders
      .filter(({ filter }) => filter)
      .map((each) => ({
        name: `${each.name}: CPU of the filter`,
        value: perThousand(each),
        unit: "s per 1,000 mails",
      })),
    ...contenders.map((each) => ({
      name: `${each.name}: p99 added per mail, one client`,
      value: percentile(each.times, 0.99) - alone,
      unit: "ms",
    })),
    {
      name: `${CROWD} connections with a mail of ${CROWD_MAIL_BYTES} bytes each: accepted`,
      value: crowded.accepted,
      target: CROWD,
      unit: "mails",
    },
    {
      name: "memory they took at the most",
      value: crowded.after - crowded.before,
      target: Math.round((CROWD * CROWD_MAIL_BYTES * 2) / 1_048_576),
      bound: "most",
      unit: "MB",
    },
    { name: "consentry, unix: peak memory", value: crowded.after, unit: "MB" },
  ];
}
