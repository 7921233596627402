/**
 * scripts/train: reads the corpora, measures by cross-validation, fits the model on everything and writes it with what
 * it was made of and how good it was. Some minutes on one core. Nothing of a mail can be read from the result.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Headers } from "../../../src/mail/headers.ts";
import { FEATURE_BITS } from "../../../src/signals/features.ts";
import { encodeModel, type ModelHeader } from "../../../src/signals/model.ts";
import { readMail } from "../../../src/signals/read.ts";
import { ADVERTISING, corpusDir, FRAUD, ORDINARY, ownSamples, readCorpus, type Sample } from "./corpus.ts";
import { fitWeights, quantise, STEP } from "./fit.ts";
import { foldsOf, groupsOf } from "./folds.ts";
import { answersTo, crossValidate, prepare, type Ready, thresholdOf } from "./measure.ts";
import { figuresAt } from "./metrics.ts";
import { TASKS } from "./tasks.ts";

const HELP = `scripts/train [--corpus DIR] [--add DIR]... [--out FILE] [--check]
  --corpus DIR  where the labelled sets lie (default: shared/corpus beside the checkout)
  --add DIR     mails of your own: DIR/ad/*, DIR/ordinary/*, DIR/fraud/*, one mail a file
  --out FILE    default: config/models/advertising.bin
  --check       write nothing; exit 1 when FILE is not byte for byte what comes out`;

/** Changes when what is trained changes, never by the calendar: the file has to come out the same. */
const TRAINED = "2026-11-22";
const FOLDS = 5;
const SHIPPED = fileURLToPath(new URL("../../../config/models/advertising.bin", import.meta.url));

const { values: options } = parseArgs({
  options: {
    corpus: { type: "string" },
    add: { type: "string", multiple: true, default: [] },
    out: { type: "string", default: SHIPPED },
    check: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const corpus = options.corpus ?? corpusDir();
if (!existsSync(corpus)) {
  console.error(`train: no corpora in ${corpus}; say where they are with --corpus`);
  process.exit(2);
}

const samples = prepare([...readCorpus(corpus), ...ownSamples(), ...options.add.flatMap(readFolders)]);
console.log(`${samples.length} mails and texts read`);
const quality = measure(samples);
console.log("fitting on all of them");
const file = encodeModel(describe(samples, quality), quantise(fitWeights(samples)));
finish(file);

/** An operator's own mails, sorted by hand into folders. */
function readFolders(dir: string): Sample[] {
  const kinds = { ad: ADVERTISING, ordinary: ORDINARY, fraud: FRAUD };
  return Object.entries(kinds).flatMap(([label, allowed]) => {
    const folder = join(dir, label);
    const names = existsSync(folder) ? readdirSync(folder).sort() : [];
    return names.map((id): Sample => {
      const bytes = readFileSync(join(folder, id));
      return { set: "added", id, label, allowed, mail: readMail(Headers.parse(bytes), bytes), path: join(folder, id) };
    });
  });
}

function measure(ready: readonly Ready[]): ModelHeader["quality"] {
  const groups = groupsOf(ready);
  const scores = crossValidate(ready, foldsOf(ready, groups, { folds: FOLDS, seed: 1 }));
  const measured: Record<string, { f1: number; falsePositives: number }> = {};
  for (const task of TASKS) {
    const { answers } = answersTo(task, ready, scores);
    if (answers.length === 0) continue;
    const { f1, falsePositives } = figuresAt(answers, thresholdOf(task));
    measured[task.name] = { f1: percent(f1), falsePositives: percent(falsePositives) };
    console.log(`  ${task.name.padEnd(30)} F1 ${percent(f1)} %, false positives ${percent(falsePositives)} %`);
  }
  return measured;
}

function percent(share: number): number {
  return Number((100 * share).toFixed(2));
}

function describe(ready: readonly Ready[], measured: ModelHeader["quality"]): ModelHeader {
  const sources: Record<string, number> = {};
  for (const { set } of ready) sources[set] = (sources[set] ?? 0) + 1;
  return {
    format: "consentry-model/2",
    trained: TRAINED,
    note: "Made by scripts/train; docs/detector.md says how it was measured and where it is weak.",
    sources,
    quality: measured,
    featureBits: FEATURE_BITS,
    features: 0,
    step: STEP,
  };
}

function finish(model: Buffer): void {
  const digest = createHash("sha256").update(model).digest("hex").slice(0, 16);
  const there = existsSync(options.out) ? readFileSync(options.out) : undefined;
  const same = there?.equals(model) === true;
  if (options.check) {
    console.log(same ? `the same: ${digest}` : `DIFFERENT: trained ${digest}, ${options.out} is another`);
    process.exitCode = same ? 0 : 1;
    return;
  }
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, model);
  console.log(`${options.out}: ${model.length} bytes, sha256 ${digest}${same ? " (unchanged)" : ""}`);
}
