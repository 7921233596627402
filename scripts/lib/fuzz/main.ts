/**
 * scripts/fuzz: every target in turn, each in a process of its own, so that one that does not come back, or takes the process with it,
 * is a finding like any other. The last line is JSON. Exit: 0 when nothing was found, 1 when something was, 2 for misuse.
 */
import { fork } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Tally } from "./engine.ts";
import { TARGETS } from "./targets/index.ts";

const HELP = `scripts/fuzz [--minutes N] [--inputs N] [--seed S] [--target NAME]… [--replay FILE] [--findings DIR]

  --minutes N     altogether, shared by the targets (default 5)
  --inputs N      at most so many for each target
  --seed S        of the random: the same seed makes the same inputs (default 1)
  --target NAME   only this one; may be repeated
  --replay FILE   run one input and say what comes of it (with --target)
  --findings DIR  where inputs that show something are kept (default: below the system's directory for such things)

${TARGETS.map(({ name, what }) => `  ${name.padEnd(15)} ${what}`).join("\n")}`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    inputs: { type: "string", default: "Infinity" },
    seed: { type: "string", default: "1" },
    target: { type: "string", multiple: true, default: [] },
    replay: { type: "string" },
    findings: { type: "string", default: join(tmpdir(), "consentry-fuzz") },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const chosen = TARGETS.filter(({ name }) => values.target.length === 0 || values.target.includes(name));
const unknown = values.target.filter((name) => !TARGETS.some((target) => target.name === name));
const [minutes, inputs, seed] = [Number(values.minutes), Number(values.inputs), Number(values.seed)];
if (
  unknown.length > 0 ||
  !(minutes > 0) ||
  !(inputs > 0) ||
  !Number.isInteger(seed) ||
  (values.replay && chosen.length !== 1)
) {
  console.error(
    `fuzz: ${unknown.length > 0 ? `no target ${unknown.join(", ")}` : "a number that is none, or --replay without one --target"}\n\n${HELP}`,
  );
  process.exit(2);
}

/** What a target's process tells; inputs travel as base64. */
export type News =
  | { readonly tally: Tally }
  | { readonly finding: { readonly kind: string; readonly says: string; readonly input: string } };

interface Outcome {
  readonly target: string;
  readonly tally?: Tally;
  readonly findings: { readonly kind: string; readonly says: string; readonly file: string; readonly bytes: number }[];
}

const CHILD = join(dirname(fileURLToPath(import.meta.url)), "child.ts");

async function runTarget(target: string, endInMs: number): Promise<Outcome> {
  const hangFile = join(tmpdir(), `consentry-fuzz-hang-${process.pid}`);
  const task = {
    target,
    seed,
    inputsMax: inputs,
    endInMs,
    hangFile,
    ...(values.replay && { replay: values.replay }),
  };
  const child = fork(CHILD, [JSON.stringify(task)], {
    execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning", "--stack-trace-limit=30"],
  });
  const findings: Outcome["findings"] = [];
  let tally: Tally | undefined;
  child.on("message", (news: News) => {
    if ("tally" in news) tally = news.tally;
    else findings.push(keep(target, news.finding));
  });
  const code = await new Promise<number | string>((resolve) =>
    child.once("exit", (exit, signal) => resolve(exit ?? signal ?? "?")),
  );
  if (existsSync(hangFile)) {
    const input = readFileSync(hangFile).toString("base64");
    rmSync(hangFile);
    findings.push(keep(target, { kind: "hang", says: "an input that does not come back", input }));
  } else if (code !== 0 && findings.length === 0) {
    findings.push({ kind: "crash", says: `its process ended with ${code}`, file: "", bytes: 0 });
  }
  return { target, findings, ...(tally && { tally }) };
}

function keep(
  target: string,
  { kind, says, input }: { kind: string; says: string; input: string },
): Outcome["findings"][number] {
  const bytes = Buffer.from(input, "base64");
  mkdirSync(values.findings, { recursive: true, mode: 0o700 });
  kept += 1;
  const file = join(values.findings, `${target}-${kind}-${process.pid}-${kept}`);
  writeFileSync(file, bytes, { mode: 0o600 });
  console.log(`  FOUND in ${target}: ${says}`);
  console.log(`    ${bytes.length} bytes: ${JSON.stringify(bytes.subarray(0, 160).toString("latin1"))}`);
  console.log(`    again: scripts/fuzz --target ${target} --replay ${file}`);
  return { kind, says, file, bytes: bytes.length };
}
let kept = 0;

const outcomes: Outcome[] = [];
for (const { name } of chosen) {
  const outcome = await runTarget(name, (minutes * 60_000) / chosen.length);
  outcomes.push(outcome);
  const { tally } = outcome;
  if (!tally) continue;
  const facts = [
    `${tally.inputs} inputs from ${tally.seeds} seeds`,
    `${tally.discoveries} found new code`,
    `dearest ${tally.dearestMs.toFixed(0)} ms`,
    ...(tally.once > 0 ? [`${tally.once} went wrong once and not again`] : []),
  ];
  console.log(`${name.padEnd(15)} ${facts.join(", ")}, digest ${tally.digest}, findings: ${outcome.findings.length}`);
}
const ok = outcomes.every(({ findings }) => findings.length === 0);
console.log(JSON.stringify({ fuzz: ok ? "clean" : "findings", ok, seed, minutes, outcomes }));
process.exitCode = ok ? 0 : 1;
