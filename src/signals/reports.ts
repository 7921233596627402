/**
 * What recipients reported as spam. One person's word moves little: a text counts by how many different people reported
 * it, and from a number on it becomes a lesson like an operator's.
 */
import { countOf } from "./fingerprint.ts";
import type { Lesson } from "./learned.ts";
import type { LessonRecord } from "./lessons.ts";

export interface Reports {
  /** Different people who reported a text with this fingerprint. */
  reportersOf(print: readonly string[]): number;
  /** One lesson for each text that enough people reported. */
  readonly lessons: readonly Lesson[];
}

interface ReportOptions {
  /** People who make a lesson of a text. */
  readonly reportersMin: number;
  /** Older reports no longer count, ms since the epoch. */
  readonly sinceMs: number;
}

/** Same records, same answer, in whatever order they come. */
export function readReports(records: readonly LessonRecord[], { reportersMin, sinceMs }: ReportOptions): Reports {
  const reporters = new Map<string, Set<string>>();
  const reports = records.filter(({ reporter, atMs }) => reporter !== undefined && atMs >= sinceMs);
  for (const { print, reporter = "" } of reports) {
    for (const key of print) {
      const known = reporters.get(key);
      if (known) known.add(reporter);
      else reporters.set(key, new Set([reporter]));
    }
  }
  const reportersOf = (print: readonly string[]): number => countOf(print.map((key) => reporters.get(key)?.size ?? 0));
  return { reportersOf, lessons: lessonsOf(reports, (print) => reportersOf(print) >= reportersMin) };
}

function lessonsOf(reports: readonly LessonRecord[], enough: (print: readonly string[]) => boolean): Lesson[] {
  const taken = new Set<string>();
  const lessons: Lesson[] = [];
  for (const { label, sketch, print, atMs } of [...reports].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (!enough(print) || print.some((key) => taken.has(key))) continue;
    for (const key of print) taken.add(key);
    lessons.push({ label, sketch, atMs });
  }
  return lessons;
}
