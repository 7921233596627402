/**
 * The register of what was taught: lessons of operators and reports of recipients, on any store. A record holds no word of
 * the mail it came from. Bounded: of more than fit, the oldest go. Whoever has read the records asks `version` to learn that
 * there are others.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../kit/clock.ts";
import type { Key, Tables, Value } from "../kit/store.ts";
import { LESSON_LIMITS, type Lesson } from "./learned.ts";

const recordSchema = z.strictObject({
  id: z.string(),
  label: z.enum(["ad", "not"]),
  sketch: z.string().max(4 * LESSON_LIMITS.featuresMax),
  /** Keys of its fingerprint: reports of the same text are counted together. */
  print: z.array(z.string().max(40)).max(16),
  atMs: z.number(),
  /** What was taught together and may be forgotten together. */
  batch: z.string().max(100),
  /** Who taught it. */
  by: z.string().max(100),
  /** A recipient's report: a hash of his address. */
  reporter: z.string().max(40).optional(),
});

/** What was taught of one mail. */
export type LessonRecord = Readonly<z.infer<typeof recordSchema>>;
export type NewLesson = Lesson & Pick<LessonRecord, "print" | "batch" | "by" | "reporter">;

export interface LessonRegister {
  /**
   * Adds lessons; the same mail taught again replaces what was said of it before.
   * @returns how many were new, and how many old ones had to go
   */
  teach(lessons: readonly NewLesson[]): Promise<{ added: number; replaced: number; dropped: number }>;
  /** Removes those that are picked. @returns how many there were */
  forget(pick: (record: LessonRecord) => boolean): Promise<number>;
  /** Oldest first. */
  list(): Promise<LessonRecord[]>;
  /** Another number after each change; 0: never taught. One cheap round trip. */
  version(): Promise<number>;
}

const TABLE = "lessons";
const keyOf = (id: string): Key => ({ partition: "all", id });
const VERSION_TABLE = "lessons-version";
const VERSION_KEY = keyOf("current");

/** Twelve hex digits. One mail has one lesson, and one report of each recipient. */
const lessonId = (sketch: string, reporter = ""): string =>
  createHash("sha256").update(`${reporter}\n${sketch}`).digest("hex").slice(0, 12);

/** An address as reports keep it. */
export const reporterOf = (address: string): string =>
  createHash("sha256").update(`reporter\n${address.toLowerCase()}`).digest("hex").slice(0, 16);

export function createLessonRegister(tables: Tables, clock: Clock): LessonRegister {
  const list = async (): Promise<LessonRecord[]> => {
    const found: LessonRecord[] = [];
    for await (const row of tables.list(TABLE, "all")) found.push(recordSchema.parse(row.value));
    return found.sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1));
  };
  const remove = async (records: readonly LessonRecord[]): Promise<number> => {
    const gone = await Promise.all(records.map(({ id }) => tables.remove(TABLE, keyOf(id))));
    return gone.filter(Boolean).length;
  };
  const changed = (): Promise<unknown> => tables.put(VERSION_TABLE, VERSION_KEY, clock.now());
  return {
    list,
    async teach(lessons) {
      const records = new Map(lessons.map((lesson) => recordOf(lesson)).map((record) => [record.id, record]));
      const keys = [...records.keys()].map(keyOf);
      const known = (await tables.getMany(TABLE, keys)).filter((row) => row !== undefined).length;
      const rows = [...records.values()].map((record) => ({
        key: keyOf(record.id),
        value: record as unknown as Value,
      }));
      await tables.putMany(TABLE, rows);
      const dropped = await remove(surplusOf(await list()));
      await changed();
      return { added: records.size - known, replaced: known, dropped };
    },
    async forget(pick) {
      const count = await remove((await list()).filter(pick));
      if (count > 0) await changed();
      return count;
    },
    version: async () => (await tables.get(VERSION_TABLE, VERSION_KEY))?.version ?? 0,
  };
}

const recordOf = ({ label, sketch, print, atMs, batch, by, reporter }: NewLesson): LessonRecord => ({
  id: lessonId(sketch, reporter),
  label,
  sketch,
  print: [...print],
  atMs,
  batch,
  by,
  ...(reporter !== undefined && { reporter }),
});

/** Lessons and reports beyond their limits, oldest first: neither can push the other out. */
function surplusOf(sorted: readonly LessonRecord[]): LessonRecord[] {
  const reports = sorted.filter(({ reporter }) => reporter !== undefined);
  const lessons = sorted.filter(({ reporter }) => reporter === undefined);
  return [
    ...lessons.slice(0, Math.max(0, lessons.length - LESSON_LIMITS.lessonsMax)),
    ...reports.slice(0, Math.max(0, reports.length - LESSON_LIMITS.reportsMax)),
  ];
}
