/** bogofilter as Debian ships it: trained file by file, asked for its probability. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Exam, foldsIn, type Peer, type Room } from "./exam.ts";

const run = (args: readonly string[], files: readonly string[], signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile("bogofilter", args, { maxBuffer: 1 << 26, signal }, (error, stdout) => {
      // 0, 1 and 2 are spam, ham and unsure.
      if (error && (typeof error.code !== "number" || error.code > 2)) reject(error);
      else resolve(stdout);
    });
    child.stdin?.end(files.map((file) => `${file}\n`).join(""));
  });

export const bogofilter: Peer = {
  name: "bogofilter",
  programs: { bogofilter: "bogofilter" },
  async sit(exams, { dir, signal }) {
    const answers = new Map<string, number[]>();
    for (const [at, exam] of exams.entries())
      answers.set(exam.name, await sitOne(exam, { dir: join(dir, `bogo-${at}`), signal }));
    return answers;
  },
};

async function sitOne(exam: Exam, { dir, signal }: Room): Promise<number[]> {
  const scores = new Map<string, number>();
  for (const fold of foldsIn(exam)) {
    const words = `${dir}-${fold}`;
    mkdirSync(words);
    const rest = exam.questions.filter((question) => question.fold !== fold);
    const filesOf = (positive: boolean): string[] =>
      rest.filter((q) => q.positive === positive).map(({ file }) => file);
    await run(["-d", words, "-s", "-b"], filesOf(true), signal);
    await run(["-d", words, "-n", "-b"], filesOf(false), signal);
    const asked = exam.questions.filter((question) => question.fold === fold).map(({ file }) => file);
    for (const line of (await run(["-d", words, "-T", "-T", "-b"], asked, signal)).split("\n")) {
      const found = /^(\S+\.eml)\s+(?:\w\s+)?([\d.]+)/.exec(line);
      if (found) scores.set(found[1] ?? "", Number(found[2]));
    }
  }
  return exam.questions.map(({ file }) => scores.get(file) ?? 0.5);
}
