/** Marks for ours and for the peers on the same tasks. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ADVERTISING_MIN, UNWANTED_MIN } from "../../../src/signals/classifier.ts";
import { answersTo, crossValidate, type Ready, type Scores, thresholdOf } from "./measure.ts";
import { bestF1, type Figures, f1Interval, figuresAt, type Interval, wilson } from "./metrics.ts";
import { bogofilter } from "./peers/bogofilter.ts";
import { type Answers, type Exam, type Peer, setExams } from "./peers/exam.ts";
import { rspamd } from "./peers/rspamd.ts";
import { spamassassin } from "./peers/spamassassin.ts";
import { membersOf, TASKS, type Task } from "./tasks.ts";

export interface Graded {
  readonly task: Task;
  readonly count: number;
  readonly figures: Figures;
  readonly interval: Interval;
  readonly scores: readonly Scores[];
}

/** Taught by all sets together, as it ships. */
export function grade(samples: readonly Ready[], groups: readonly number[], folds: readonly number[]): Graded[] {
  const scores = crossValidate(samples, folds);
  return presentTasks(samples).map((task) => gradeOne(task, { samples, groups, scores }));
}

/** Taught by each set alone, in the same folds. */
export function gradeAlone(samples: readonly Ready[], groups: readonly number[], folds: readonly number[]): Graded[] {
  return presentTasks(samples).map((task) => {
    const places = [...samples.keys()].filter((at) => samples[at]?.set === task.set);
    const set = places.map((at) => samples[at] as Ready);
    const pick = (all: readonly number[]): number[] => places.map((at) => all[at] ?? 0);
    const scores = crossValidate(set, pick(folds));
    return gradeOne(task, { samples: set, groups: pick(groups), scores });
  });
}

const presentTasks = (samples: readonly Ready[]): Task[] => TASKS.filter((task) => membersOf(task, samples).length > 0);

interface Sitting {
  readonly samples: readonly Ready[];
  readonly groups: readonly number[];
  readonly scores: readonly Scores[];
}

function gradeOne(task: Task, { samples, groups, scores }: Sitting): Graded {
  const { answers, members } = answersTo(task, samples, scores);
  const threshold = thresholdOf(task);
  const own = members.map((at) => groups[at] ?? 0);
  const figures = figuresAt(answers, threshold);
  return { task, count: answers.length, figures, interval: f1Interval(answers, own, threshold), scores };
}

/** What `actFrom` of advertising/detect is where the operator says nothing else. */
export const ACT_FROM = 0.8;

export interface Alarms {
  readonly name: string;
  readonly count: number;
  readonly advertising: number;
  /** From the score on from which rules act. */
  readonly acted: number;
  readonly unwanted: number;
  /** Upper end of the 95 % interval of the share called advertising. */
  readonly high: number;
}

/** Whole mails that are labelled ordinary, by set, and all together. */
export function falseAlarms(samples: readonly Ready[], scores: readonly Scores[]): Alarms[] {
  const ordinary = [...samples.keys()].filter((at) => {
    const { label = "", path } = samples[at] ?? {};
    return path !== undefined && /^(?:ham|ja-mixed|transactional-or-list)$/.test(label);
  });
  const bulk = [...samples.keys()].filter((at) => samples[at]?.label === "opt-in-bulk");
  const business = [...samples.keys()].filter(
    (at) => samples[at]?.set.startsWith("own-") && samples[at]?.label === "ordinary",
  );
  const sets = [...new Set(ordinary.map((at) => samples[at]?.set ?? ""))];
  const count = (name: string, places: readonly number[]): Alarms => {
    const advertising = places.filter((at) => (scores[at]?.advertising ?? 0) >= ADVERTISING_MIN).length;
    const acted = places.filter((at) => (scores[at]?.advertising ?? 0) >= ACT_FROM).length;
    const unwanted = places.filter((at) => (scores[at]?.unwanted ?? 0) >= UNWANTED_MIN).length;
    return { name, count: places.length, advertising, acted, unwanted, high: wilson(advertising, places.length).high };
  };
  return [
    ...sets.map((set) =>
      count(
        set,
        ordinary.filter((at) => samples[at]?.set === set),
      ),
    ),
    count("all ordinary mail", ordinary),
    count("wanted bulk (may be advertising)", bulk),
    count("business texts of our own", business),
  ].filter((row) => row.count > 0);
}

export interface PeerGrades {
  readonly name: string;
  /** Why it did not sit: packages that are not here, or what went wrong. */
  readonly missing?: string;
  readonly grades: ReadonlyMap<string, { readonly f1: number; readonly best: number }>;
}

const isHere = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** Longest that a peer may take for all its exams; minutes when nothing else runs. */
const PEER_MS_MAX = 30 * 60_000;

/** All peers at the same time; each is one process at work. Whoever takes too long is stopped and named as left out. */
export function gradePeers(
  samples: readonly Ready[],
  { folds, work }: { folds: readonly number[]; work: string },
): Promise<PeerGrades[]> {
  const exams = setExams(presentTasks(samples), samples, { folds, dir: join(work, "mails") });
  return Promise.all([rspamd, spamassassin, bogofilter].map((peer) => gradePeer(peer, exams, work)));
}

async function gradePeer(peer: Peer, exams: readonly Exam[], work: string): Promise<PeerGrades> {
  const missing = Object.entries(peer.programs).filter(([program]) => !isHere(program));
  if (missing.length > 0)
    return { name: peer.name, missing: `not here: ${missing.map(([, name]) => name).join(" ")}`, grades: new Map() };
  const signal = AbortSignal.timeout(PEER_MS_MAX);
  let answers: Answers;
  try {
    answers = await peer.sit(exams, { dir: work, signal });
  } catch (error) {
    return {
      name: peer.name,
      missing: signal.aborted ? `not done in ${PEER_MS_MAX / 60_000} minutes` : (error as Error).message,
      grades: new Map(),
    };
  }
  const grades = exams.map(({ name, questions }) => {
    const marked = questions.map(({ positive }, at) => ({ positive, score: answers.get(name)?.[at] ?? 0.5 }));
    return [name, { f1: figuresAt(marked, 0.5).f1, best: bestF1(marked).f1 }] as const;
  });
  return { name: peer.name, grades: new Map(grades) };
}
