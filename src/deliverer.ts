/** A process that delivers: `deliverers.ts` starts it. It ends with the service that started it, however that ends. */
import { loadConfig } from "./config/load.ts";
import { type Answer, FIGURES_MS, type Word } from "./deliverers.ts";
import { type Delivering, openDelivery } from "./delivering.ts";
import { buildHouse } from "./house.ts";
import { tuneEngine } from "./kit/engine.ts";
import { createLog } from "./kit/log.ts";

process.umask(0o077);
tuneEngine();
// The service tells when it is time: signals reach this process, too, and it lets what is under way end.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);

let close: ((graceMs: number) => Promise<void>) | undefined;
let delivery: Delivering | undefined;
/** Mails that need no more care, and are still to be told of. */
let ended: string[] = [];
const TELL_MS = 10;
let isEnding = false;

function end(graceMs: number): void {
  if (isEnding) return;
  isEnding = true;
  // Before it has begun there is nothing to let end.
  const closed = close ? close(graceMs) : Promise.resolve();
  // Not process.exit(): that waits for LMDB's threads, one of which may be waiting for this one, and holds everybody's lock meanwhile.
  void closed.finally(() => process.kill(process.pid, "SIGKILL"));
}

const { path, text } = await new Promise<{ readonly path: string; readonly text: string }>((begin) => {
  process.on("message", (word: Word) => {
    if (word === "wake") delivery?.wake();
    else if ("begin" in word) begin(word.begin);
    else if ("endWithinMs" in word) end(word.endWithinMs);
    // One that is closing takes none; its end is seen, and what it was brought waits for its turn.
    else delivery?.bring(word.bring);
  });
  process.on("disconnect", () => end(0));
  // Nobody is left who would tell it.
  if (!process.connected) end(0);
});
const loaded = loadConfig(path, process.env, text);
const log = createLog(loaded.config.log.level, loaded.config.log.format);
// Nobody is judged here: what strangers' addresses are listed on need not be read.
const house = await buildHouse({ ...loaded, config: { ...loaded.config, lists: [] } }, log);
const opened = await openDelivery(house, over);
const telling = setInterval(() => void tellFigures(), FIGURES_MS).unref();
close = async (graceMs) => {
  clearInterval(telling);
  await opened.close(graceMs);
  await tellFigures();
  await house.close();
};
delivery = opened;
if (process.connected) tell("ready");
else end(0);

function tell(answer: Answer): void {
  if (process.connected) process.send?.(answer, undefined, {}, () => undefined);
}

async function tellFigures(): Promise<void> {
  const figures = process.connected ? house.meter.take() : undefined;
  if (!figures) return;
  await new Promise<void>((told) => process.send?.({ figures } satisfies Answer, undefined, {}, () => told()));
}

/** Told together, some at a time. */
function over(id: string): void {
  if (ended.push(id) > 1) return;
  setTimeout(() => {
    tell({ over: ended });
    ended = [];
  }, TELL_MS);
}
