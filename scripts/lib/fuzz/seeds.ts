/** Where inputs begin: test/fuzz/seeds/<target>, what the target makes itself, and real mail where it lies beside the checkout. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Target } from "./target.ts";

const HOUSE = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const SEEDS = join(HOUSE, "test/fuzz/seeds");
/** Third parties' mail, used where it lies and never copied. */
export const CORPUS = join(HOUSE, "../shared/corpus");
const CORPUS_MAX = 120;

/** The files of a target in the order of their names; what was once a finding stays among them. */
export function ownSeeds({ name, crlf, made }: Target): { name: string; bytes: Buffer }[] {
  const dir = join(SEEDS, name);
  const files = existsSync(dir) ? readdirSync(dir).sort() : [];
  const read = files.map((file) => {
    const bytes = readFileSync(join(dir, file));
    const isText = crlf && file.endsWith(".txt");
    return {
      name: file,
      bytes: isText ? Buffer.from(bytes.toString("latin1").replace(/\n/g, "\r\n"), "latin1") : bytes,
    };
  });
  return [...read, ...(made?.() ?? []).map((bytes, index) => ({ name: `made ${index + 1}`, bytes }))];
}

/** Mails of the corpora, spread evenly over all of them. */
export function corpusSeeds({ corpus, bytesMax }: Target): Buffer[] {
  if (!corpus || !existsSync(CORPUS)) return [];
  const all = readdirSync(CORPUS, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".eml"))
    .sort();
  const step = Math.max(1, Math.floor(all.length / CORPUS_MAX));
  const mails = all
    .filter((_, index) => index % step === 0)
    .map((name) => readFileSync(join(CORPUS, name), "latin1").replace(/\r\n|\r|\n/g, "\r\n"));
  const taken =
    corpus === "mails" ? mails : mails.map((mail) => mail.slice(0, mail.indexOf("\r\n\r\n") + 4 || mail.length));
  const cut = corpus === "values" ? taken.flatMap(interesting) : taken;
  return cut.map((text) => Buffer.from(text.slice(0, bytesMax), "latin1"));
}

/** Values of the fields that are hard to read. */
const interesting = (block: string): string[] =>
  block
    .replace(/\r\n(?=[ \t])/g, "")
    .split("\r\n")
    .filter((line) => /^(?:subject|from|to|cc|sender|received|authentication-results):/i.test(line))
    .slice(0, 5)
    .map((line) => line.slice(line.indexOf(":") + 1).trim());
