/** SpamAssassin's Bayes through its own Perl modules (spamassassin.pl): its rules know these corpora, and are left out. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Exam, Peer, Room } from "./exam.ts";

const PROGRAM = fileURLToPath(new URL("spamassassin.pl", import.meta.url));

export const spamassassin: Peer = {
  name: "SpamAssassin",
  programs: { spamassassin: "spamassassin" },
  async sit(exams, { dir, signal }) {
    const lines = await run(exams, { dir: join(dir, "assassin"), signal });
    return new Map(
      lines.map((line) => {
        const { name, scores } = JSON.parse(line) as { name: string; scores: number[] };
        return [name, scores];
      }),
    );
  },
};

const run = (exams: readonly Exam[], { dir, signal }: Room): Promise<string[]> =>
  new Promise((resolve, reject) => {
    const child = spawn("perl", [PROGRAM, dir], { stdio: ["pipe", "pipe", "ignore"], signal });
    const out: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code !== 0) reject(new Error(`SpamAssassin ended with ${code}`));
      else resolve(Buffer.concat(out).toString("utf8").trim().split("\n"));
    });
    child.stdin.end(JSON.stringify(exams));
  });
