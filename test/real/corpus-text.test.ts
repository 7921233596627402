/** Every real and hostile mail beside the checkout is read into what its reader sees, and judged: none throws, takes long or much. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Headers } from "../../src/mail/headers.ts";
import { readText, TEXT_LIMITS } from "../../src/mail/text.ts";
import { judge } from "../../src/signals/classifier.ts";
import { loadModel } from "../../src/signals/model.ts";
import { readMail } from "../../src/signals/read.ts";

const CORPUS = join(import.meta.dirname, "../../../shared/corpus");
const TIMEOUT_MS = 240_000;
/** CPU time of the slowest mail, on a machine that others use too, and the same for what it leaves on the heap. */
const MAIL_MS_MAX = 250;
const HEAP_MB_MAX = 64;

const mails = (): string[] =>
  readdirSync(CORPUS, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:eml|msg|mbox|txt|raw|out)$/.test(name) && !name.endsWith("SOURCE.txt"))
    .map((name) => join(CORPUS, name));

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

describe.skipIf(!existsSync(CORPUS))("text of the corpus of real and hostile mail (beside the checkout)", () => {
  it(
    "is read of every mail and of every beginning of a mail, in bounded time and memory",
    () => {
      const paths = mails();
      expect(paths.length).toBeGreaterThan(1_000);
      const model = loadModel(readFileSync("config/models/advertising.bin"));
      const slow: string[] = [];
      const large: string[] = [];
      for (const path of paths) {
        const bytes = readFileSync(path);
        readText(bytes.subarray(0, bytes.length / 3));
        const heap = process.memoryUsage().heapUsed;
        const before = cpuMs();
        const mail = readMail(Headers.parse(bytes), bytes);
        const { advertising, unwanted } = judge(mail, model);
        const { text, alt, links } = mail.text;
        // Twice, because the first of two may meet the collection of what others left.
        const first = cpuMs() - before;
        judge(readMail(Headers.parse(bytes), bytes), model);
        if (Math.min(first, cpuMs() - before - first) > MAIL_MS_MAX) slow.push(path);
        if (process.memoryUsage().heapUsed - heap > HEAP_MB_MAX * 1_048_576) large.push(path);
        expect(text.length).toBeLessThanOrEqual(TEXT_LIMITS.textCharsMax);
        expect(alt.length).toBeLessThanOrEqual(TEXT_LIMITS.textCharsMax);
        expect(advertising >= 0 && unwanted >= advertising && unwanted <= 1).toBe(true);
        expect(links.length).toBeLessThanOrEqual(TEXT_LIMITS.linksMax);
      }
      expect({ slow, large }).toEqual({ slow: [], large: [] });
    },
    TIMEOUT_MS,
  );
});
