/** A process that delivers: `deliverers.ts` starts it. It ends with the service that started it, however that ends. */
import { loadConfig } from "./config/load.ts";
import { openDelivery } from "./custody.ts";
import type { Word } from "./deliverers.ts";
import { buildHouse } from "./house.ts";
import { createLog } from "./kit/log.ts";

const [path = ""] = process.argv.slice(2);
const loaded = loadConfig(path);
const log = createLog(loaded.config.log.level, loaded.config.log.format);
// Nobody is judged here: what strangers' addresses are listed on need not be read.
const house = await buildHouse({ ...loaded, config: { ...loaded.config, lists: [] } }, log);
const delivery = await openDelivery(house);

let ending: Promise<void> | undefined;
function end(graceMs: number): Promise<void> {
  ending ??= delivery
    .close(graceMs)
    .then(() => house.close())
    .finally(() => process.exit());
  return ending;
}

process.on("message", (word: Word) => {
  if (word === "wake") delivery.wake();
  else void end(word.endWithinMs);
});
process.on("disconnect", () => void end(0));
// The service tells when it is time: signals reach it, too, and it lets what is under way end.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
