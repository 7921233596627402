/**
 * scripts/bench/detect: how well the detector tells advertising, beside the Bayes filters of rspamd, SpamAssassin and
 * bogofilter on the same mails; from one collection to another; after tricks; and what it costs. Quality needs the labelled
 * collections (CORPUS, or shared/corpus beside the checkout) and is left out by name where they are absent.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ADVERTISING_MIN, UNWANTED_MIN } from "../../src/signals/classifier.ts";
import { corpusDir, ownSamples, readCorpus } from "../lib/detect/corpus.ts";
import { measureCost, measureFootprint } from "../lib/detect/cost.ts";
import { foldsOf, groupsOf, groupsOfBeginnings } from "../lib/detect/folds.ts";
import { ACT_FROM, falseAlarms, type Graded, grade, gradeAlone, gradePeers } from "../lib/detect/grades.ts";
import { prepare, type Ready } from "../lib/detect/measure.ts";
import { TRANSFERS, transfer } from "../lib/detect/transfer.ts";
import { measureTricks } from "../lib/detect/trick-table.ts";
import { type Result, report } from "./lib/report.ts";

const SECTIONS = ["quality", "peers", "transfer", "tricks", "cost"] as const;
const asked = process.argv.slice(2);
if (asked.some((word) => !(SECTIONS as readonly string[]).includes(word))) {
  console.log(`scripts/bench/detect [${SECTIONS.join("|")}]...   all of them where none is named; peers take longest`);
  process.exit(asked.includes("--help") ? 0 : 2);
}
const wanted = (section: (typeof SECTIONS)[number]): boolean => asked.length === 0 || asked.includes(section);
const MODEL = fileURLToPath(new URL("../../config/models/advertising.bin", import.meta.url));
const FOLDS = 5;
const percent = (share: number): string => (100 * share).toFixed(1);

const results: Result[] = [];
const work = mkdtempSync(join(tmpdir(), "consentry-detect-"));
try {
  await quality();
  cost();
} finally {
  rmSync(work, { recursive: true, force: true });
}
report("detect", results);

async function quality(): Promise<void> {
  if (!SECTIONS.some((section) => section !== "cost" && wanted(section))) return;
  const corpus = corpusDir();
  if (!existsSync(corpus)) return console.log(`left out: quality (no collections of labelled mail in ${corpus})`);
  const samples = prepare([...readCorpus(corpus), ...ownSamples()]);
  const groups = groupsOf(samples);
  const folds = foldsOf(samples, groups, { folds: FOLDS, seed: 1 });
  const strict = wanted("quality") || wanted("peers") ? grade(samples, groups, folds) : [];
  if (wanted("quality")) {
    const beginnings = groupsOfBeginnings(samples);
    const split = grade(samples, beginnings, foldsOf(samples, beginnings, { folds: FOLDS, seed: 1 }));
    qualityTable({ strict, split });
    alarmTable(samples, split);
  }
  if (wanted("peers")) await peerTable(samples, { groups, folds, ours: strict });
  if (wanted("transfer")) transferTable(samples);
  if (wanted("tricks")) trickTable(samples, groups);
}

function qualityTable({ strict, split }: { strict: Graded[]; split: Graded[] }): void {
  console.log(
    `\nCross-validated (${FOLDS} folds), F1 in percent [95 % interval], false positives and misses in mails.`,
  );
  console.log(
    "as split: mails with the same beginning stay together; templates apart: whatever resembles each other does.",
  );
  console.log(`${"".padEnd(28)}${"mails".padStart(6)}  ${"as split".padEnd(44)}templates apart`);
  for (const [at, { task, figures, interval, count }] of split.entries()) {
    const other = strict[at] as Graded;
    const show = (g: Graded): string =>
      `${percent(g.figures.f1)} [${percent(g.interval.low)}-${percent(g.interval.high)}] fp ${g.figures.falseCount} (${percent(g.figures.falsePositives)} %) miss ${g.figures.missedCount}`;
    console.log(
      `${task.name.padEnd(28)}${String(count).padStart(6)}  ${show({ task, figures, interval, count, scores: [] }).padEnd(44)}${show(other)}`,
    );
    const row = { name: `F1 ${task.name}`, value: 100 * figures.f1, unit: "%" };
    results.push(task.f1Min === undefined ? row : { ...row, target: 100 * task.f1Min });
  }
}

function alarmTable(samples: readonly Ready[], [first]: Graded[]): void {
  if (!first) return;
  console.log(
    `\nOrdinary mail called advertising (from ${ADVERTISING_MIN}), acted on (from ${ACT_FROM}) or called unwanted (from ${UNWANTED_MIN}), as labelled:`,
  );
  for (const { name, count, advertising, acted, unwanted, high } of falseAlarms(samples, first.scores)) {
    console.log(
      `  ${name.padEnd(34)}${String(count).padStart(6)}  advertising ${advertising} (${percent(advertising / count)} %, at most ${percent(high)} %)  acted on ${acted}  unwanted ${unwanted}`,
    );
    if (name === "all ordinary mail") {
      const value = (100 * advertising) / count;
      results.push({ name: "ordinary mail called advertising", value, unit: "%", target: 0.5, bound: "most" });
      results.push({ name: "ordinary mail acted on", value: (100 * acted) / count, unit: "%" });
    }
  }
}

interface Sitting {
  readonly groups: readonly number[];
  readonly folds: readonly number[];
  readonly ours: readonly Graded[];
}

async function peerTable(samples: readonly Ready[], { groups, folds, ours }: Sitting): Promise<void> {
  const alone = gradeAlone(samples, groups, folds);
  const peers = await gradePeers(samples, { folds, work });
  console.log(
    `\nBeside others, the same words in the same ${FOLDS} folds, templates apart. F1 in percent; peers at 0.5 and, in brackets, at the threshold`,
  );
  console.log("that hindsight finds best for each set. alone: taught by that set only, as the peers are.");
  for (const { name, missing } of peers) if (missing) console.log(`left out: ${name} (${missing})`);
  const sitting = peers.filter(({ missing }) => missing === undefined);
  console.log(
    `${"".padEnd(28)}${"ships".padEnd(8)}${"alone".padEnd(8)}${sitting.map(({ name }) => name.padEnd(18)).join("")}`,
  );
  for (const [at, { task, figures }] of ours.entries()) {
    const cells = sitting.map(({ grades }) => {
      const found = grades.get(task.name);
      return found ? `${percent(found.f1)} (${percent(found.best)})`.padEnd(18) : "".padEnd(18);
    });
    console.log(
      `${task.name.padEnd(28)}${percent(figures.f1).padEnd(8)}${percent(alone[at]?.figures.f1 ?? 0).padEnd(8)}${cells.join("")}`,
    );
    const rivals = sitting.map(({ grades }) => grades.get(task.name)?.best ?? 0);
    if (rivals.length > 0 && task.f1Min !== undefined) {
      const value = 100 * (figures.f1 - Math.max(...rivals));
      results.push({ name: `${task.name}: F1 above the best peer's best`, value, unit: "points", target: 0 });
    }
  }
}

function transferTable(samples: readonly Ready[]): void {
  console.log(
    "\nFrom one collection to another (with our own texts): F1, best F1 that a threshold could give, false positives, percent",
  );
  for (const each of TRANSFERS) {
    const threshold = each.to.by === "advertising" ? ADVERTISING_MIN : UNWANTED_MIN;
    const found = transfer(each, samples, threshold);
    if (!found) continue;
    console.log(
      `  ${each.what.padEnd(44)}${percent(found.f1).padStart(6)}${percent(found.bestF1).padStart(7)}${percent(found.falsePositives).padStart(7)}`,
    );
    results.push({ name: `transfer, ${each.what}: F1`, value: 100 * found.f1, unit: "%" });
  }
}

function trickTable(samples: readonly Ready[], groups: readonly number[]): void {
  const { count, rows } = measureTricks(samples, groups);
  console.log(
    `\nTricks played on ${count} advertisements that the model has not seen and knows: still known, or noticed, percent`,
  );
  for (const { trick, known, noticed } of rows) {
    console.log(`  ${trick.name.padEnd(40)}${percent(known).padStart(6)} known${percent(noticed).padStart(7)} noticed`);
    results.push({
      name: `trick, ${trick.name}: ${trick.expects === "read" ? "known" : "noticed"}`,
      value: 100 * (trick.expects === "read" ? known : noticed),
      unit: "%",
    });
  }
}

function cost(): void {
  if (!wanted("cost")) return;
  if (!existsSync(MODEL)) return console.log("left out: cost (no model: scripts/train)");
  const { model, footprint } = measureFootprint(MODEL);
  console.log("\nCost, from bytes to score, milliseconds of CPU for one mail: median, slowest");
  const limits: Readonly<Record<string, number>> = { "4 KB of plain text": 1, "4 KB of base64": 1, "30 KB of HTML": 3 };
  for (const { name, median, slowest } of measureCost(model)) {
    console.log(`  ${name.padEnd(24)}${median.toFixed(2).padStart(8)}${slowest.toFixed(2).padStart(8)}`);
    const target = limits[name];
    const row = { name: `CPU, ${name}`, value: median, unit: "ms" };
    results.push(target === undefined ? row : { ...row, target, bound: "most" });
  }
  results.push(
    { name: "model file", value: footprint.fileKb / 1024, unit: "MB", target: 5, bound: "most" },
    { name: "loading the model", value: footprint.loadMs, unit: "ms", target: 100, bound: "most" },
    { name: "memory a worker", value: footprint.memoryMb, unit: "MB" },
  );
}
