/** The relay with a ledger that forgets at once: `node ledgerless-relay.ts CONFIG`. What the real one costs is the difference. */
import { loadConfig } from "../../../src/config/load.ts";
import { buildHouse } from "../../../src/house.ts";
import { createLog } from "../../../src/kit/log.ts";
import type { Journal } from "../../../src/ledger/journal.ts";
import { createRecorder } from "../../../src/ledger/recorder.ts";
import { openHouse } from "../../../src/main.ts";

const loaded = loadConfig(process.argv[2] ?? "");
const house = await buildHouse(loaded, createLog("warn", "json"));
const journal: Journal = {
  append: async () => undefined,
  find: async function* () {},
  sources: async () => [],
  closedHours: async () => [],
  forget: async () => undefined,
  close: async () => undefined,
};
const service = await openHouse({ ...house, journal, recorder: createRecorder(journal, house.ids, house.clock) });
process.once("SIGTERM", () => void service.close());
