import { setTimeout as pause } from "node:timers/promises";
import type { Config, Endpoint } from "../config/schema.ts";
import { count, defineCommand, text } from "./globals.ts";

/** Home, and everything below cleared: the terminal is written over, not scrolled. */
const TO_THE_TOP = "\x1b[H\x1b[J";
const ANSWER_MS_MAX = 10_000;

/** consentry top: a running relay in a terminal. */
export const top = defineCommand({
  command: "top",
  describe: "Show what a running relay does now: workers, connections, verdicts, rules, times",
  builder: (args) =>
    args
      .option("every", { ...count("seconds between two looks"), default: 2 })
      .option("once", { type: "boolean", default: false, describe: "look once (twice, an interval apart) and end" })
      .option("url", text("of /metrics, when it is not the metrics door of the configuration"))
      .example("$0 top", "until Ctrl-C")
      .example("$0 top --once --json", "for a script")
      .epilogue("It reads /metrics: listeners needs { door: metrics, listen: … }."),
  async handler({ config: path, every, once, url, json }) {
    const [{ Misuse }, { readingOf, textOf, viewOf }, { clean, jsonLine, print }] = await Promise.all([
      import("../kit/trouble.ts"),
      import("./top-view.ts"),
      import("./output.ts"),
    ]);
    if (!(every > 0)) throw new Misuse("--every: more than 0 seconds");
    const from = url ?? (await urlOf(path));
    const read = async () => readingOf(await fetched(from), Date.now());
    for (let before = await read(); ; ) {
      await pause(every * 1_000);
      const now = await read();
      const view = viewOf(now, before);
      if (!once && !json) process.stdout.write(TO_THE_TOP);
      await print(...(json ? [jsonLine(view)] : textOf(view).map(clean)));
      if (once) return;
      before = now;
    }
  },
});

async function urlOf(path: string): Promise<string> {
  const [{ loadConfig }, { Misuse }] = await Promise.all([import("../config/load.ts"), import("../kit/trouble.ts")]);
  const { listeners }: Config = loadConfig(path).config;
  const listen: Endpoint | undefined = listeners.find(({ door }) => door === "metrics")?.listen;
  if (!listen || "path" in listen) {
    throw new Misuse(`${path} has no metrics door to read from:`, [
      'listeners: add { door: metrics, listen: "127.0.0.1:9109" }, or name another with --url',
    ]);
  }
  const anywhere: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  const host = anywhere[listen.host] ?? listen.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${listen.port}/metrics`;
}

async function fetched(url: string): Promise<string> {
  const { Refused } = await import("./output.ts");
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    if (answer.ok) return await answer.text();
    throw new Error(`it says ${answer.status}`);
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Refused(`${url} does not answer: ${(cause as Error | undefined)?.message ?? message}`);
  }
}
