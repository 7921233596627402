/**
 * What all peers are asked: the same mails in the same folds, each trained on the others and tested on the one left out.
 * They get the Subject and the text a reader sees, without list prefixes and footers, as a plain mail in UTF-8: what their
 * own reading of HTML and charsets is worth is no question here, and headers of these corpora give the class away.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bareBody, bareSubject } from "../../../../src/signals/normal.ts";
import type { Sample } from "../corpus.ts";
import { membersOf, type Task } from "../tasks.ts";

export interface Question {
  /** Absolute path of the mail. */
  readonly file: string;
  readonly positive: boolean;
  readonly fold: number;
}

export interface Exam {
  readonly name: string;
  readonly questions: readonly Question[];
}

/** Probability of spam for each question of each exam. */
export type Answers = ReadonlyMap<string, readonly number[]>;

/** Where an exam is sat. */
export interface Room {
  readonly dir: string;
  readonly signal: AbortSignal;
}

export interface Peer {
  readonly name: string;
  /** Programs it needs, by Debian package. */
  readonly programs: Readonly<Record<string, string>>;
  /** @param room.signal ends it: whoever is not done by then has no answers */
  sit(exams: readonly Exam[], room: Room): Promise<Answers>;
}

/** Writes the mails of all tasks into a folder. */
export function setExams(
  tasks: readonly Task[],
  samples: readonly Sample[],
  { folds, dir }: { folds: readonly number[]; dir: string },
): Exam[] {
  mkdirSync(dir, { recursive: true });
  const fileOf = (at: number): string => join(dir, `${at}.eml`);
  for (const [at, sample] of samples.entries()) writeFileSync(fileOf(at), plainMail(sample));
  return tasks.map((task) => ({
    name: task.name,
    questions: membersOf(task, samples).map((at) => ({
      file: fileOf(at),
      positive: task.isPositive(samples[at]?.label ?? ""),
      fold: folds[at] ?? 0,
    })),
  }));
}

function plainMail({ mail }: Sample): string {
  const subject = Buffer.from(bareSubject(mail.subject).replace(/[\r\n]+/g, " ")).toString("base64");
  const body = bareBody(mail.text.alt === "" ? mail.text.text : `${mail.text.text}\n${mail.text.alt}`);
  return [
    `Subject: =?utf-8?B?${subject}?=`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    body,
    "",
  ].join("\n");
}

/** Folds of an exam in order. */
export const foldsIn = ({ questions }: Exam): number[] => [...new Set(questions.map(({ fold }) => fold))].sort();
