import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import type { ImportParts, ImportSummary, ImportTotals } from "./consent-import.ts";
import { advertisersOf } from "./consent-word.ts";
import { actorOption, defineCommand, STDIN, text, word } from "./globals.ts";
import { actorName, type Ground, recordChange, withGround } from "./ground.ts";
import { clean, createProgress, jsonLine, print, printAll, remark } from "./output.ts";

export const importCommand = defineCommand({
  command: "import <file>",
  describe: "Record the consents of a CSV file",
  builder: (args) =>
    args
      .positional("file", word("CSV in UTF-8, or - for stdin"))
      .option("dry-run", { type: "boolean", default: false, describe: "say what would happen, record nothing" })
      .option("actor", actorOption)
      .example("$0 consent import --dry-run consents.csv", "look first")
      .example("zcat consents.csv.gz | $0 consent import -", "")
      .epilogue(
        "Columns, named by the first line: recipient, advertiser, granted_at, how; and, when there are any, reference, " +
          "text_version, ip, topics (a;b), limit (3/24h), hours (09:00-18:00 Asia/Ho_Chi_Minh), text, document_sha256. Lines that do not do are named on stderr and left out; the others are " +
          "recorded. A refusal recorded after granted_at stands, so a file may be imported again. Exit 1 when a line " +
          "was left out.",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const summary = await runImport(ground, options);
      await noteImport(ground, summary, options);
      await print(
        options.json ? jsonLine({ summary: { ...summary, dryRun: options.dryRun } }) : inWords(summary, options),
      );
      if (summary.linesRefused > 0 || summary.sha256 === undefined) process.exitCode = 1;
    }),
});

interface ImportOptions {
  readonly actor?: string | undefined;
  readonly file: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

async function runImport(ground: Ground, options: ImportOptions): Promise<ImportSummary> {
  const { file, dryRun, json } = options;
  const { importConsents } = await import("./consent-import.ts");
  const { consents } = await ground.registers();
  const progress = createProgress("lines");
  const name = file === STDIN ? "stdin" : basename(file);
  let latest: Readonly<ImportTotals> | undefined;
  let stopped = false;
  const stop = (): void => {
    stopped = true;
  };
  process.once("SIGINT", stop);
  const parts: ImportParts = {
    consents,
    advertisers: await advertisersOf(ground),
    nowMs: ground.clock.now(),
    dryRun,
    onRefused(line, reason) {
      progress.end();
      if (json) process.stdout.write(`${jsonLine({ refused: { line, reason } })}\n`);
      else remark(`${name}:${line}: ${clean(reason)}`);
    },
    onProgress(totals) {
      latest = totals;
      progress.at(totals.lines);
    },
    stopped: () => stopped,
  };
  try {
    return await importConsents(openInput(file), parts);
  } catch (error) {
    if (latest) await noteImport(ground, latest, options);
    throw error;
  } finally {
    progress.end();
    process.removeListener("SIGINT", stop);
  }
}

/** What cannot be read is misuse. */
async function* openInput(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of file === STDIN ? process.stdin : createReadStream(file)) yield chunk as Buffer;
  } catch (error) {
    throw new Misuse(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

/** One entry for a whole import, with its counts; also for one that broke off. */
async function noteImport(ground: Ground, summary: ImportSummary, { dryRun, actor }: ImportOptions): Promise<void> {
  if (dryRun || summary.recorded === 0) return;
  const { recorded, known, refusalsKept, linesRefused, sha256 } = summary;
  await recordChange(ground, {
    event: "consent-granted",
    actor: actorName(actor),
    evidence: { how: "import", recorded, known, refusalsKept, linesRefused, ...(sha256 !== undefined && { sha256 }) },
  });
}

const many = (count: number, one: string, more = `${one}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

function inWords(summary: ImportSummary, { dryRun }: ImportOptions): string {
  const { lines, recorded, known, refusalsKept, linesRefused, sha256 } = summary;
  return [
    `${many(lines, "line")}${sha256 === undefined ? ", then stopped" : ""}: ${recorded.toLocaleString("en")} ${dryRun ? "to be recorded" : "recorded"}`,
    `${known.toLocaleString("en")} known already`,
    `${many(refusalsKept, "later refusal")} kept`,
    `${many(linesRefused, "line")} left out`,
  ].join(", ");
}

export const exportCommand = defineCommand({
  command: "export",
  describe: "Consents that stand, as CSV that import reads",
  builder: (args) =>
    args
      .option("advertiser", text("only to this advertiser"))
      .example("$0 consent export --advertiser shop > shop.csv", "")
      .epilogue("Refusals are left out, as a line of this file says yes: consent list --withdrawn has them."),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { headerLine, lineOf } = await import("./consent-csv.ts");
      const { consents } = await ground.registers();
      const wanted = options.advertiser?.toLowerCase();
      let left = 0;
      async function* lines(): AsyncGenerator<string> {
        yield headerLine();
        for await (const consent of consents.all()) {
          if (wanted !== undefined && consent.advertiser !== wanted) continue;
          if (consent.withdrawnAtMs === undefined) yield lineOf(consent);
          else left += 1;
        }
      }
      await printAll(lines());
      if (left > 0) remark(`note: ${many(left, "refusal")} left out`);
    }),
});
