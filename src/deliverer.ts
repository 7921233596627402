/** A process that delivers: `deliverers.ts` starts it. It ends with the service that started it, however that ends. */
import { loadConfig } from "./config/load.ts";
import { TELL_MS, type Told, type Word } from "./deliverers.ts";
import { openDelivery } from "./delivering.ts";
import { buildHouse } from "./house.ts";
import { createLog } from "./kit/log.ts";

process.umask(0o077);
// The service tells when it is time: signals reach this process, too, and it lets what is under way end.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);

let close: ((graceMs: number) => Promise<void>) | undefined;
let wake = (): void => undefined;
let isEnding = false;

function end(graceMs: number): void {
  if (isEnding) return;
  isEnding = true;
  // Before it has begun there is nothing to let end.
  const closed = close ? close(graceMs) : Promise.resolve();
  // Not process.exit(): that waits for LMDB's threads, one of which may be waiting for this one, and holds everybody's lock meanwhile.
  void closed.finally(() => process.kill(process.pid, "SIGKILL"));
}

process.on("message", (word: Word) => (word === "wake" ? wake() : end(word.endWithinMs)));
process.on("disconnect", () => end(0));

const [path = ""] = process.argv.slice(2);
const loaded = loadConfig(path);
const log = createLog(loaded.config.log.level, loaded.config.log.format);
// Nobody is judged here: what strangers' addresses are listed on need not be read.
const house = await buildHouse({ ...loaded, config: { ...loaded.config, lists: [] } }, log);
const delivery = await openDelivery(house);
wake = delivery.wake;
const tell = async (): Promise<void> => {
  const figures = process.connected ? house.meter.take() : undefined;
  if (!figures) return;
  await new Promise<void>((told) => process.send?.({ figures } satisfies Told, undefined, undefined, () => told()));
};
const telling = setInterval(() => void tell(), TELL_MS).unref();
close = async (graceMs) => {
  clearInterval(telling);
  await delivery.close(graceMs);
  await tell();
  await house.close();
};
if (!process.connected) end(0);
