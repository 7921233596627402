import type { Config } from "../config/schema.ts";
import type { Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";
import type { Store } from "../kit/store.ts";
import { detect } from "../rules/advertising/detect.ts";
import type { Detection } from "../signals/detector.ts";
import type { LessonRegister } from "../signals/lessons.ts";
import type { Model } from "../signals/model.ts";
import { createDetection, NO_DETECTION } from "./detection.ts";
import { isOff, type RuleSetting } from "./settings.ts";

export interface DetectionGround {
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: nothing was taught. */
  readonly lessons?: LessonRegister;
  /** Absent: nobody counts copies. */
  readonly store?: Store;
  /** Read every mail for signs of advertising, also where nothing follows. */
  readonly detectAlways?: boolean;
}

/**
 * What tells an advertisement, as a configuration wants it; nothing where its rule is off.
 * @param readModel the model of this file, or (undefined) the one that ships
 */
export function openDetection(
  { modelFile }: Config["detection"],
  { settings, readModel }: { settings: readonly RuleSetting[]; readModel: (file: string | undefined) => Model },
  { clock, log, lessons, store, detectAlways }: DetectionGround,
): Detection {
  const setting = settings.find(({ rule }) => rule === detect);
  if (!setting || isOff(setting)) return NO_DETECTION;
  return createDetection({
    setting,
    clock,
    model: readModel(modelFile),
    ...(lessons && { lessons }),
    ...(store && { marks: store.marks }),
    always: detectAlways ?? false,
    onFault: (error) => log.error({ err: error }, "what was taught cannot be read: the model is used as it came"),
  });
}
