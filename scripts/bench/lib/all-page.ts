/** What scripts/bench/all measured, as the page shows it. */
import { table } from "./page.ts";
import type { Outcome } from "./sections.ts";

export interface Circumstances {
  readonly machine: string;
  readonly beganAt: Date;
  readonly rounds: number;
  readonly seconds: number;
  readonly skipped: readonly string[];
}

const TITLES: Readonly<Record<string, string>> = {
  "4k": "Mails of 4 KB, 20 kept connections",
  "50k": "Mails of 50 KB, 20 kept connections",
  signed: "DKIM-signed mails of 4 KB (RSA 2048)",
  fresh: "A connection for each mail, 20 at a time",
};

export function pageOf(outcomes: ReadonlyMap<string, Outcome>, at: Circumstances): string {
  const parts = [methodOf(at)];
  for (const [name, { measured }] of outcomes) {
    if (!measured) continue;
    const rows = measured.map((each) => [
      each.name,
      `${each.rate.toFixed(0)} (${each.least.toFixed(0)} to ${each.most.toFixed(0)})`,
      each.cpu.toFixed(3),
      each.memoryMb.toFixed(0),
    ]);
    const head = ["server", "mails/s, median (least to most)", "CPU s per 1,000", "memory MB"];
    parts.push(`### ${TITLES[name] ?? name}\n\n${table(head, rows)}`);
  }
  const latency = outcomes.get("latency")?.latency;
  if (latency) {
    const rows = [...latency].map(([name, times]) => [name, ...times.map((ms) => ms.toFixed(2))]);
    parts.push(`### One connection, one mail after the other\n\n${table(["server", "p50 ms", "p99 ms"], rows)}`);
  }
  const judged = [...outcomes.values()].flatMap(({ results }) => results);
  const rows = judged.map(({ name, value, unit, target, bound }) => [
    name,
    `${Number(value.toPrecision(3))} ${unit}`,
    target === undefined ? "–" : `${bound === "most" ? "at most" : "at least"} ${target}`,
    target === undefined ? "" : (bound === "most" ? value <= target : value >= target) ? "met" : "**missed**",
  ]);
  parts.push(`### Targets\n\n${table(["what", "measured", "target", ""], rows)}`);
  return parts.join("\n\n");
}

const methodOf = ({ machine, beganAt, rounds, seconds, skipped }: Circumstances): string =>
  [
    `Measured by \`scripts/bench/all\` on ${beganAt.toISOString().slice(0, 10)}: ${machine}. Client (smtp-source), server and sink (smtp-sink) share the cores, on 127.0.0.1, without TLS.`,
    `Everybody is started by the script, gets the same traffic into the same sink, and they take turns, there and back, ${rounds} rounds of about ${seconds} s; figures are medians, ratios the medians of`,
    "neighbouring rounds. consentry runs all its rules, enforcing, in proxy mode, asks SPF, DKIM, DMARC and reverse names of a DNS server whose answers it has cached, and writes its ledger durably; the bare",
    "smtp-server and Postfix's proxy check nothing. rspamd has its packaged rules and trusts 127.0.0.1, so it does less than for a stranger. CPU and memory are those of all processes of a server, filters",
    "included; pages that several share are counted in parts.",
    ...(skipped.length > 0 ? ["", ...skipped.map((each) => `Not measured: ${each}.`)] : []),
  ].join("\n");
