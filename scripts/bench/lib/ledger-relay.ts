/**
 * The relay as `serve` opens it, with its ledger or with none: `node ledger-relay.ts CONFIG with|without`. One program for both sides, so that
 * what the ledger costs is all the difference there is.
 */
import { loadConfig } from "../../../src/config/load.ts";
import { buildHouse } from "../../../src/house.ts";
import { tuneEngine } from "../../../src/kit/engine.ts";
import { createLog } from "../../../src/kit/log.ts";
import { giveMemoryBack } from "../../../src/kit/memory.ts";
import type { Recorder } from "../../../src/ledger/recorder.ts";
import { openHouse } from "../../../src/main.ts";
import { countedRecorder } from "../../../src/metrics/taps.ts";

const [path = "", kind = "with"] = process.argv.slice(2);
tuneEngine();
const house = await buildHouse(loadConfig(path), createLog("warn", "json"));
giveMemoryBack();
/** No id, no line, no wait; metrics are counted on both sides. */
const forgetting: Recorder = { record: async () => undefined };
const recorder = kind === "with" ? house.recorder : countedRecorder(forgetting, house.meter);
const service = await openHouse({ ...house, recorder });
process.once("SIGTERM", () => void service.close());
