/** The detector of advertising as a configuration asks for it, with its model from disk. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Config } from "./config/schema.ts";
import type { Clock } from "./kit/clock.ts";
import type { Log } from "./kit/log.ts";
import type { Store } from "./kit/store.ts";
import { Misuse } from "./kit/trouble.ts";
import { createDetection, NO_DETECTION } from "./pipeline/detection.ts";
import { isOff, type RuleSetting } from "./pipeline/settings.ts";
import { detect } from "./rules/advertising/detect.ts";
import type { Detection } from "./signals/detector.ts";
import type { LessonRegister } from "./signals/lessons.ts";
import { loadModel, type Model } from "./signals/model.ts";

const OWN_MODEL = fileURLToPath(new URL("../config/models/advertising.bin", import.meta.url));

export interface DetectionParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: nothing was taught. */
  readonly lessons?: LessonRegister;
  /** Absent: nobody counts copies. */
  readonly store?: Store;
  /** Read every mail for signs of advertising, also where nothing follows. */
  readonly detectAlways?: boolean;
}

/** @throws Misuse when the model cannot be read */
export function openDetection(
  config: Config,
  settings: readonly RuleSetting[],
  { clock, log, lessons, store, detectAlways }: DetectionParts,
): Detection {
  const setting = settings.find(({ rule }) => rule === detect);
  if (!setting || isOff(setting)) return NO_DETECTION;
  const { modelFile } = config.detection;
  return createDetection({
    setting,
    clock,
    model: readModel(modelFile ?? OWN_MODEL),
    ...(lessons && { lessons }),
    ...(store && { marks: store.marks }),
    always: detectAlways ?? false,
    onFault: (error) => log.error({ err: error }, "what was taught cannot be read: the model is used as it came"),
  });
}

function readModel(path: string): Model {
  try {
    return loadModel(readFileSync(path));
  } catch (error) {
    throw new Misuse(`the detector's model ${path}: ${(error as Error).message}`);
  }
}
