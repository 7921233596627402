import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import type { CodeRegister, ManagementCode } from "../registers/codes.ts";
import { actorOption, defineCommand, STDIN, word } from "./globals.ts";
import { actorName, recordChange, withGround } from "./ground.ts";
import { clean, print, printJson, remark } from "./output.ts";
import { parseInstant } from "./times.ts";

const REQUIRED = ["code", "holder", "issued_at", "expires_at"] as const;
const OPTIONAL = ["name", "revoked_at", "revoked_why"] as const;
type Column = (typeof REQUIRED)[number] | (typeof OPTIONAL)[number];

export const importCodes = defineCommand({
  command: "import <file>",
  describe: "Take over the authority's published list",
  builder: (args) =>
    args
      .positional("file", word("CSV in UTF-8, or - for stdin"))
      .option("actor", actorOption)
      .example("$0 code import published.csv", "what is in the list stands in the place of what is recorded")
      .epilogue(
        `Columns, named by the first line: ${REQUIRED.join(", ")}; and, when there are any, ${OPTIONAL.join(", ")}. ` +
          "Codes of the list count as published; codes that it does not have stay as they are. Lines that do not do are " +
          "named on stderr and left out. Exit 1 when a line was left out.",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { codes } = await ground.registers();
      const name = options.file === STDIN ? "stdin" : basename(options.file);
      const counts = await readList(codes, options.file, (line, why) => remark(`${name}:${line}: ${clean(why)}`));
      if (counts.taken > 0) {
        const evidence = { change: "imported", ...counts };
        await recordChange(ground, { event: "code-changed", actor: actorName(options.actor), evidence });
      }
      const { taken, known, refused } = counts;
      const words = `${taken} ${taken === 1 ? "code" : "codes"} taken over, ${known} known already, ${refused} left out`;
      await (options.json ? printJson(counts) : print(words));
      if (refused > 0) process.exitCode = 1;
    }),
});

interface Counts {
  readonly taken: number;
  readonly known: number;
  readonly refused: number;
}

async function readList(
  codes: Pick<CodeRegister, "adopt">,
  file: string,
  onRefused: (line: number, why: string) => void,
): Promise<Counts> {
  const { readCsv } = await import("../kit/csv.ts");
  const counts = { taken: 0, known: 0, refused: 0 };
  let columns: readonly Column[] | undefined;
  for await (const record of readCsv(openInput(file))) {
    if (!columns) {
      columns = readHeader("fields" in record ? record.fields : []);
      continue;
    }
    try {
      if ("problem" in record) throw new Misuse(record.problem);
      const changed = await codes.adopt(readCode(columns, record.fields));
      counts[changed ? "taken" : "known"] += 1;
    } catch (error) {
      if (!(error instanceof Misuse)) throw error;
      counts.refused += 1;
      onRefused(record.line, [error.message.split("\n")[0], ...error.problems].join(" "));
    }
  }
  if (!columns) throw new Misuse("the file is empty");
  return counts;
}

/** What cannot be read is misuse. */
async function* openInput(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of file === STDIN ? process.stdin : createReadStream(file)) yield chunk as Buffer;
  } catch (error) {
    throw new Misuse(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

function readHeader(fields: readonly string[]): readonly Column[] {
  const names = fields.map((field) => field.trim().toLowerCase());
  const known: readonly string[] = [...REQUIRED, ...OPTIONAL];
  const problems = [
    ...names.filter((name) => !known.includes(name)).map((name) => `there is no column ${JSON.stringify(name)}`),
    ...REQUIRED.filter((name) => !names.includes(name)).map((name) => `the column ${name} is missing`),
  ];
  if (problems.length > 0) throw new Misuse("the header line does not do:", problems);
  return names as Column[];
}

/** @throws Misuse with what was wrong */
function readCode(columns: readonly Column[], fields: readonly string[]): ManagementCode {
  const of = (column: Column): string => (fields[columns.indexOf(column)] ?? "").trim();
  const moment = (column: Column): number => {
    const instant = parseInstant(of(column));
    if (!instant) throw new Misuse(`${column}: ${JSON.stringify(of(column))} is no time; expected 2026-11-22`);
    return instant.ms;
  };
  return {
    code: of("code"),
    holder: of("holder"),
    ...(of("name") !== "" && { name: of("name") }),
    issuedAtMs: moment("issued_at"),
    expiresAtMs: moment("expires_at"),
    ...(of("revoked_at") !== "" && { revokedAtMs: moment("revoked_at") }),
    ...(of("revoked_why") !== "" && { revokedWhy: of("revoked_why") }),
    published: true,
  };
}
