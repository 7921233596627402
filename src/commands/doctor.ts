import { withDeadline } from "../kit/deadline.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Line } from "./doctor/line.ts";
import { count, defineCommand, text, texts } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { clean, columns, print, printJson } from "./output.ts";

/** consentry doctor: everything an operator forgets, looked at in bounded time. */
export const doctor = defineCommand({
  command: "doctor",
  describe: "What is wrong with this relay and what stands round it, and what to do",
  builder: (args) =>
    args
      .option("selector", texts("selector of a DKIM key of the local domains"))
      .option("dns", text("ask this DNS server, or system, instead of dns.servers"))
      .option("timeout", count("seconds for everything together; default 30"))
      .example("$0 doctor", "while the relay runs: it also knocks at the doors, as a stranger")
      .example("$0 doctor --selector mail --json", "for programs")
      .epilogue(
        "Each line: ok, warn, fail or cannot know, and what to do. Exit 1 when something fails. It sends no mail.",
      ),
  async handler(options) {
    const isLate = await withGround(options.config, async (ground) => {
      const timeoutMs = (options.timeout ?? 30) * 1_000;
      if (!(timeoutMs > 0 && timeoutMs <= 600_000)) throw new Misuse("--timeout: expected 1 to 600 seconds");
      const { lines, isLate } = await examine(ground, {
        selectors: options.selector ?? [],
        dns: options.dns,
        timeoutMs,
      });
      await (options.json ? printJson(lines) : print(...lines.flatMap(shown), "", summary(lines)));
      if (lines.some(({ verdict }) => verdict === "fail")) process.exitCode = 1;
      return isLate;
    });
    // Whatever is still waited for would keep the process.
    if (isLate) process.exit();
  },
});

interface Asked {
  readonly selectors: readonly string[];
  readonly dns: string | undefined;
  readonly timeoutMs: number;
}

/** Everything at once; what is not done in time is said to be unknown. */
async function examine(ground: Ground, { selectors, dns, timeoutMs }: Asked) {
  const startedMs = performance.now();
  const [{ dnsPart, machineParts }, { doorLines }] = await Promise.all([
    import("./doctor/parts.ts"),
    import("./doctor/door.ts"),
  ]);
  const parts: readonly (readonly [string, Promise<Line[]>])[] = [
    ...machineParts(ground),
    ["doors", doorLines(ground.config)],
    ["DNS", dnsPart(ground, { selectors, dns })],
  ];
  const found = await Promise.all(parts.map(([about, work]) => inTime(about, work, timeoutMs)));
  return { lines: found.flat(), isLate: performance.now() - startedMs >= timeoutMs };
}

async function inTime(about: string, work: Promise<Line[]>, timeoutMs: number): Promise<Line[]> {
  try {
    return await withDeadline(work, timeoutMs, "rule", about);
  } catch (error) {
    if (error instanceof Misuse) throw error;
    const found = clean((error as Error).message);
    return [{ about, verdict: "cannot know", found, advice: "ask again, or give it more time: --timeout" }];
  }
}

const WIDTHS = [11, 44];

const shown = ({ about, verdict, found, advice }: Line): string[] => [
  columns([verdict, about, found], WIDTHS),
  ...(advice === undefined ? [] : [columns(["", "", `→ ${advice}`], WIDTHS)]),
];

const summary = (lines: readonly Line[]): string =>
  (["ok", "warn", "fail", "cannot know"] as const)
    .map((verdict) => `${lines.filter((line) => line.verdict === verdict).length} ${verdict}`)
    .join(", ");
