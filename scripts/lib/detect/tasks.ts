/** The questions that are asked of a detector, each with the set it is asked on and the target of the project. */
import type { Sample } from "./corpus.ts";

export interface Task {
  readonly name: string;
  readonly set: string;
  /** Which probability answers it. */
  readonly by: "advertising" | "unwanted";
  readonly f1Min?: number;
  isPositive(label: string): boolean;
  /** Samples that are neither. */
  leavesOut?(label: string): boolean;
}

const spam = (label: string): boolean => label === "spam";
const backscatter = (label: string): boolean => label === "backscatter";

export const TASKS: readonly Task[] = [
  { name: "zh-ccert", set: "zh-ccert", by: "unwanted", f1Min: 0.98, isPositive: spam },
  {
    name: "zh-lists-modern",
    set: "zh-lists-modern",
    by: "advertising",
    f1Min: 0.95,
    isPositive: (label) => label === "ad",
  },
  { name: "en-spamassassin", set: "en-spamassassin", by: "unwanted", f1Min: 0.98, isPositive: spam },
  { name: "en-csdmc2010", set: "en-csdmc2010", by: "unwanted", f1Min: 0.98, isPositive: spam },
  {
    name: "vi-sms-qc",
    set: "vi-sms-qc",
    by: "advertising",
    f1Min: 0.93,
    isPositive: (label) => /^(?:ad|promo)/.test(label),
  },
  { name: "vi-social-spam", set: "vi-social-spam", by: "unwanted", f1Min: 0.9, isPositive: spam },
  { name: "en-lists-modern", set: "en-lists-modern", by: "advertising", isPositive: (label) => label === "ad" },
  {
    name: "zh-lists-modern (unwanted)",
    set: "zh-lists-modern",
    by: "unwanted",
    isPositive: (label) => label !== "ham",
    leavesOut: backscatter,
  },
  {
    name: "en-lists-modern (unwanted)",
    set: "en-lists-modern",
    by: "unwanted",
    isPositive: (label) => label !== "ham",
    leavesOut: backscatter,
  },
  {
    name: "vi-sms-qc (unwanted)",
    set: "vi-sms-qc",
    by: "unwanted",
    isPositive: (label) => label !== "notice-or-personal",
  },
];

/** The samples a task is asked on, by their place in `samples`. */
export function membersOf(task: Task, samples: readonly Sample[]): number[] {
  const members: number[] = [];
  for (const [at, { set, label }] of samples.entries())
    if (set === task.set && !task.leavesOut?.(label)) members.push(at);
  return members;
}
