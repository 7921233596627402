/**
 * scripts/soak: a relay in proxy mode between senders who try again and a next hop that keeps what it takes, while a seeded schedule of faults
 * goes over all of them; then everything is put right, the senders finish, and the account is drawn up. The last line is JSON.
 * Exit: 0 when it balances, 1 with the differences by mail when it does not, 2 for misuse.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startKeepingSink } from "../../bench/lib/keeping-sink.ts";
import { startDnsServer, zoneOf } from "../dns/server.ts";
import { randomOf } from "../random.ts";
import { balance, readLedger } from "./account.ts";
import { attempt, type Fate, openFate } from "./client.ts";
import { mountSmallDisk } from "./disk.ts";
import { faultsOfWorld } from "./faults.ts";
import { chooseMails, hasCorpus } from "./mails.ts";
import { runFaults } from "./schedule.ts";
import { soakService } from "./service.ts";
import { openStoreWorld, STORES, type StoreName } from "./stores.ts";

const HELP = `scripts/soak [--seed N] [--mails M] [--minutes T] [--store NAME] [--senders N]

  --seed N      of mails, faults and their times (default 1)
  --mails M     at most so many (default 2000)
  --minutes T   faults go on for so long at most, or until all mails are through (default 2)
  --store NAME  ${STORES.join(", ")}; default: by the seed, in turn
  --senders N   at a time (default 12)
  --workers N   of the relay (default: 1, 1, 2, 2 by the seed, in turn)
  --only TEXT   only the faults whose names match this pattern
  --keep        leave the relay's files for somebody to look at`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    mails: { type: "string", default: "2000" },
    minutes: { type: "string", default: "2" },
    store: { type: "string" },
    senders: { type: "string", default: "12" },
    workers: { type: "string" },
    only: { type: "string", default: "" },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const [seed, mailsMax, minutes, senders] = [values.seed, values.mails, values.minutes, values.senders].map(Number) as [
  number,
  number,
  number,
  number,
];
const workers = Number(values.workers ?? 1 + (Math.floor((seed - 1) / 2) % 2));
const storeName = (values.store ?? STORES[(seed - 1) % STORES.length]) as StoreName;
if (!Number.isInteger(seed) || !(mailsMax > 0) || !(minutes > 0) || !(senders > 0) || !STORES.includes(storeName)) {
  console.error(HELP);
  process.exit(2);
}

/** When all is well again, the senders have so long to get through. */
const FINISH_MS = 60_000;
const PAUSE_MS = 300;
/** The last mail is sent for the first time when so much of the time is over. */
const SPREAD = 0.95;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ZONE = [
  "stranger.example TXT v=spf1 ip4:127.0.0.0/8 -all",
  "stranger.example MX 10 mx.stranger.example",
  "mx.stranger.example A 127.0.0.1",
];

const random = randomOf(seed);
const work = mkdtempSync(join(tmpdir(), "consentry-soak-"));
const mails = chooseMails(mailsMax, random);
const left: string[] = hasCorpus ? [] : ["the mail of ../shared/corpus: mail made here instead"];
const store = await openStoreWorld(storeName, work);
if (store.instead) left.push(store.instead);
const disk = values.keep ? undefined : mountSmallDisk();
if (!disk) left.push("a full disk: nothing may be mounted here");
const sink = await startKeepingSink();
const dns = await startDnsServer({ zone: zoneOf(ZONE) });
const service = await soakService({
  work,
  dataDir: join(disk?.dir ?? work, "data"),
  storeUrl: store.url,
  sinkPort: sink.port,
  dnsAddress: dns.address,
  workers,
  rules: seed % 2 === 0 ? "enforce" : "watch",
});

const fates = mails.map(openFate);
let peakMb = 0;
let cleaned: Promise<void> | undefined;
const clean = (): Promise<void> => {
  cleaned ??= tidyUp();
  return cleaned;
};
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void clean().then(() => process.exit(1)));
try {
  service.up();
  await service.ready();
  const endMs = performance.now() + minutes * 60_000;
  const memory = setInterval(() => {
    peakMb = Math.max(peakMb, service.memoryMb());
  }, 1000);
  const sending = send(endMs + FINISH_MS);
  let through = false;
  void sending.finally(() => {
    through = true;
  });
  const faults = [...faultsOfWorld({ service, sink, dns, zone: zoneOf(ZONE), disk, workers }), ...store.faults];
  const chosen = faults.filter(({ name }) => new RegExp(values.only).test(name));
  const happened = await runFaults(chosen, random, () => performance.now() > endMs || through);
  console.log(
    `all is well again; ${happened.length} faults; ${fates.filter(({ state }) => state === "open").length} mails are not through yet`,
  );
  await sending;
  clearInterval(memory);
  await service.stop();
  conclude(await readLedger(service.config), happened);
} finally {
  await clean();
}

async function tidyUp(): Promise<void> {
  await service.kill();
  await Promise.all([sink.close(), dns.stop(), store.close()]);
  if (values.keep) return console.log(`left: ${service.config}`);
  disk?.close();
  rmSync(work, { recursive: true, force: true });
}

/** So many senders, each with one mail at a time, spread over the time of the faults; whoever is put off comes later again. */
async function send(untilMs: number): Promise<void> {
  const waiting: Fate[] = [...fates];
  const beganMs = performance.now();
  const spreadMs = (SPREAD * minutes * 60_000) / fates.length;
  let next = 0;
  const sender = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const fate = waiting[next];
      if (!fate) return;
      const earlyMs = fate.attempts === 0 ? beganMs + next * spreadMs - performance.now() : 0;
      next += 1;
      if (earlyMs > 0) await pause(earlyMs);
      await attempt(service.port, fate);
      if (fate.state !== "open") continue;
      waiting.push(fate);
      await pause(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
}

function conclude(entries: Awaited<ReturnType<typeof readLedger>>, faults: readonly string[]): void {
  const account = balance({ fates, kept: sink.mails, lostAnswers: sink.unanswered, entries });
  const { sent, delivered, refused, deferred, twiceCounted, differences } = account;
  const ok = differences.length === 0 && sent === delivered + refused + deferred;
  console.log(
    `seed ${seed}, ${storeName}: ${sent} sent = ${delivered} delivered + ${refused} refused + ${deferred} still their senders'`,
  );
  console.log(
    `  ${twiceCounted} copies more, each after an answer that was lost; ${account.entries} entries; ${workers} workers, ended by itself ${service.endedByItself} times, peak memory ${Math.round(peakMb)} MB`,
  );
  for (const each of left) console.log(`  left out: ${each}`);
  for (const each of differences.slice(0, 50)) console.log(`  DIFFERENCE ${each}`);
  if (differences.length > 50) console.log(`  and ${differences.length - 50} more`);
  console.log(
    JSON.stringify({
      soak: ok ? "balanced" : "not balanced",
      ok,
      seed,
      store: storeName,
      ...account,
      peakMb: Math.round(peakMb),
      faults: tally(faults),
      left,
    }),
  );
  process.exitCode = ok ? 0 : 1;
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
