/**
 * The detector as the operator set it up: his options for advertising/detect, what each pack says, his modes for single
 * clients. Rules get it by their context; a rule that is off or watched makes nothing follow.
 */
import type { Clock } from "../kit/clock.ts";
import type { Marks } from "../kit/store.ts";
import type { Pack } from "../law/pack.ts";
import type { DetectOptions } from "../rules/advertising/detect.ts";
import { createBulkCounter } from "../signals/bulk.ts";
import { createDetector, type Detection } from "../signals/detector.ts";
import type { LessonRegister } from "../signals/lessons.ts";
import type { Model } from "../signals/model.ts";
import { createTeachings } from "../signals/teachings.ts";
import type { RuleSetting } from "./settings.ts";

export interface DetectionParts {
  /** Of advertising/detect. */
  readonly setting: RuleSetting;
  readonly model: Model;
  readonly clock: Clock;
  /** Absent: nothing was taught. */
  readonly lessons?: LessonRegister;
  /** Absent: nobody counts copies. */
  readonly marks?: Marks;
  readonly always?: boolean;
  readonly onFault: (error: unknown) => void;
}

const HOUR_MS = 3_600_000;

export function createDetection({ setting, model, clock, lessons, marks, always, onFault }: DetectionParts): Detection {
  const { copiesMin, windowHours, reportersMin, actFrom, fromClients, fromStrangers } =
    setting.options as DetectOptions;
  const detector = createDetector({
    model,
    copiesMin,
    ...(lessons && { teachings: createTeachings({ lessons, model, clock, reportersMin, onFault }) }),
    ...(marks && { bulk: createBulkCounter(marks, Math.round(windowHours * HOUR_MS)) }),
  });
  return {
    detect: detector.detect,
    actFrom,
    always: always ?? false,
    consequence(pack, own, client) {
      const mode = (client !== undefined && setting.clients.get(client)) || setting.mode;
      if (mode === "off") return "off";
      const follows = own
        ? (fromClients[pack.id] ?? pack.detected.clients)
        : (fromStrangers[pack.id] ?? pack.detected.strangers);
      return mode === "watch" && follows === "apply" ? "note" : follows;
    },
  };
}

/** Packs that the options name and nobody has, as complaints. */
export function packProblems({ rule, options }: RuleSetting, known: ReadonlyMap<string, Pack>): string[] {
  const { fromClients = {}, fromStrangers = {} } = (options ?? {}) as Partial<DetectOptions>;
  return Object.entries({ fromClients, fromStrangers }).flatMap(([key, byPack]) =>
    Object.keys(byPack)
      .filter((id) => !known.has(id))
      .map((id) => `rules."${rule.id}".${key}.${id}: there is no such pack; known: ${[...known.keys()].join(", ")}`),
  );
}

/** Nobody asks, nobody looks: for a law that is only read. */
export const NO_DETECTION: Detection = Object.freeze({
  detect: () => Promise.reject(new Error("there is no detector")),
  actFrom: 1,
  always: false,
  consequence: () => "off" as const,
});
