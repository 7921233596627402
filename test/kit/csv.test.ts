import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CsvRecord, csvLine, readCsv } from "../../src/kit/csv.ts";

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string | Buffer, size = 7, recordCharsMax = 100): Promise<CsvRecord[]> {
  const records: CsvRecord[] = [];
  for await (const record of readCsv(inPieces(Buffer.from(text), size), { recordCharsMax })) records.push(record);
  return records;
}

const row = (line: number, ...fields: string[]): CsvRecord => ({ line, fields });
const trouble = (line: number, problem: string): CsvRecord => ({ line, problem });

describe("reading CSV", () => {
  it.each<[string, string | Buffer, CsvRecord[]]>([
    [
      "CRLF and LF ends, the last line without one",
      "a,b\r\nc,d\ne,f",
      [row(1, "a", "b"), row(2, "c", "d"), row(3, "e", "f")],
    ],
    ["empty fields", ",\n,,", [row(1, "", ""), row(2, "", "", "")]],
    ["empty lines are passed over and counted", "\n\r\na\n\nb\n", [row(3, "a"), row(5, "b")]],
    ["a byte order mark", "\ufeffa,b\n", [row(1, "a", "b")]],
    ["quotes, doubled quotes and commas in quotes", '"a","b ""c""","d,e"\n', [row(1, "a", 'b "c"', "d,e")]],
    ["line breaks in quotes", '"a\nb",c\r\nd\n', [row(1, "a\nb", "c"), row(3, "d")]],
    ["a quoted field that is empty is a field", '""\n"",""\n', [row(1, ""), row(2, "", "")]],
    ["letters of more than one byte, cut anywhere", "广告,é\n", [row(1, "广告", "é")]],
    [
      "a stray quote spoils one line",
      'a"b,c\nd,e\n',
      [trouble(1, "a quote inside a field without quotes"), row(2, "d", "e")],
    ],
    ["text behind a closing quote", '"a"b,c\nd\n', [trouble(1, "text follows a closing quote"), row(2, "d")]],
    [
      "a quote that never closes spoils its own line only",
      '"a,b\nc\nd,e',
      [trouble(1, "a quote is opened and not closed"), row(2, "c"), row(3, "d", "e")],
    ],
    ["bytes that are not UTF-8", Buffer.from([0x61, 0xff, 0x0a, 0x62, 0x0a]), [trouble(1, "not UTF-8"), row(2, "b")]],
    ["a line that is too long", `${"x".repeat(300)}\nb\n`, [trouble(1, "the line is too long"), row(2, "b")]],
    [
      "a line that is too long and the last",
      `a\n${"x".repeat(300)}`,
      [row(1, "a"), trouble(2, "the line is too long")],
    ],
    ["nothing", "", []],
  ])("reads %s", async (_, text, expected) => {
    for (const size of [1, 2, 7, 1000]) expect(await read(text, size)).toEqual(expected);
  });

  it("holds no more than a record, whatever the file", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (given = 0; given < 10_000; given += 1) yield Buffer.from('"'.padEnd(1000, "x"));
    }
    const records: CsvRecord[] = [];
    for await (const record of readCsv(endless(), { recordCharsMax: 5000 })) {
      records.push(record);
      expect(given).toBeLessThan(10);
    }
    expect(records).toEqual([trouble(1, "the line is too long")]);
  });

  it("reads what it writes, whatever the fields hold", async () => {
    const fields = fc.array(
      fc.string({ unit: "grapheme" }).filter((text) => !/[\ufffd\ufeff]/.test(text)),
      { minLength: 2, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fields, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        async (rows, size) => {
          const found = await read(rows.map(csvLine).join(""), size, 10_000);
          expect(found.map((record) => ("fields" in record ? record.fields : record))).toEqual(rows);
        },
      ),
      { numRuns: 200 },
    );
  });
});
