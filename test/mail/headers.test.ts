import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Field, Headers } from "../../src/mail/headers.ts";

const parse = (block: string): Headers => Headers.parse(Buffer.from(block, "latin1"));
const pairs = (block: string): [string, string][] => parse(block).fields.map(({ name, value }) => [name, value]);

describe("a header block", () => {
  const cases: [title: string, block: string, fields: [string, string][]][] = [
    ["one field", "Subject: Sale\r\n\r\n", [["subject", "Sale"]]],
    ["names in lower case", "SUBJECT: Sale\r\n\r\n", [["subject", "Sale"]]],
    ["values without outer blanks", "Subject: \t Sale \t\r\n\r\n", [["subject", "Sale"]]],
    ["values without any blank", "Subject:Sale\r\n\r\n", [["subject", "Sale"]]],
    ["an empty value", "Subject:\r\n\r\n", [["subject", ""]]],
    ["a colon in the value", "Subject: a: b\r\n\r\n", [["subject", "a: b"]]],
    ["folded with a space", "Subject: one\r\n two\r\n\r\n", [["subject", "one two"]]],
    ["folded with a tab", "Subject: one\r\n\ttwo\r\n\r\n", [["subject", "one\ttwo"]]],
    ["folded three times", "Subject: one\r\n two\r\n  three\r\n\tfour\r\n\r\n", [["subject", "one two  three\tfour"]]],
    ["folded before anything was said", "Subject:\r\n Sale\r\n\r\n", [["subject", "Sale"]]],
    ["folded over a line of blanks", "Subject: one\r\n \r\n two\r\n\r\n", [["subject", "one  two"]]],
    [
      "bare LF",
      "Subject: one\n two\nFrom: a@b.example\n\n",
      [
        ["subject", "one two"],
        ["from", "a@b.example"],
      ],
    ],
    ["a blank before the colon (RFC 5322 4.5)", "Subject : Sale\r\n\r\n", [["subject", "Sale"]]],
    [
      "no end",
      "Subject: Sale\r\nFrom: a@b.example",
      [
        ["subject", "Sale"],
        ["from", "a@b.example"],
      ],
    ],
    ["an end and a body", "Subject: Sale\r\n\r\nFrom: body@b.example\r\n", [["subject", "Sale"]]],
    ["nothing", "", []],
    ["an empty line and no more", "\r\n", []],
    ["bytes above 127 as they are", "Subject: \xb9\xe3\xb8\xe6\r\n\r\n", [["subject", "\xb9\xe3\xb8\xe6"]]],
  ];
  it.each(cases)("%s", (_, block, fields) => expect(pairs(block)).toEqual(fields));

  const malformed: [title: string, block: string, count: number, names: string[]][] = [
    ["a line without a colon", "Subject: Sale\r\nnonsense\r\nFrom: a@b.example\r\n\r\n", 1, ["subject", "from"]],
    ["with its continuation, which is nobody else's", "nonsense\r\n more: x\r\nFrom: a@b.example\r\n\r\n", 1, ["from"]],
    ["a line that begins with a colon", ": Sale\r\nFrom: a@b.example\r\n\r\n", 1, ["from"]],
    ["a blank inside the name", "From mbox at 10:00\r\nFrom: a@b.example\r\n\r\n", 1, ["from"]],
    ["a byte above 127 in the name", "Subj\xe9ct: x\r\n\r\n", 1, []],
    ["a control in the name", "Sub\x00ject: x\r\n\r\n", 1, []],
    ["a continuation of nothing", " folded: x\r\nFrom: a@b.example\r\n\r\n", 1, ["from"]],
  ];
  it.each(malformed)("counts as malformed %s", (_, block, count, names) => {
    const headers = parse(block);
    expect(headers.malformed).toBe(count);
    expect(headers.fields.map((field) => field.name)).toEqual(names);
  });

  it("answers by name, in any number, top first", () => {
    const headers = parse("Received: one\r\nSubject: Sale\r\nreceived: two\r\n\r\n");
    expect(headers.all("received")).toEqual(["one", "two"]);
    expect(headers.first("received")).toBe("one");
    expect(headers.count("received")).toBe(2);
    expect(headers.all("date")).toEqual([]);
    expect(headers.first("date")).toBeUndefined();
    expect(headers.count("date")).toBe(0);
  });

  // String.trim() takes the byte A0 for a no-break space; in UTF-8 it is the last byte of 你, in GBK of many others.
  it("keeps a byte A0 at the end of a raw value", () => {
    const raw = Buffer.from("爱你", "utf8").toString("latin1");
    expect(parse(`Subject: ${raw}\r\n\r\n`).first("subject")).toBe(raw);
  });
});

describe("offsets", () => {
  const slices = (block: Buffer, fields: readonly Field[]): string =>
    fields.map(({ start, end }) => block.toString("latin1", start, end)).join("");

  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/);
  const line = fc.stringMatching(/^[\x21-\x7e\xa1-\xff][\x20-\x7e\xa1-\xff]{0,30}$/);
  const end = fc.constantFrom("\r\n", "\n");
  const field = fc
    .tuple(name, fc.constantFrom(":", ": ", ":\t", " :"), fc.array(fc.tuple(line, end), { minLength: 1, maxLength: 4 }))
    .map(([key, colon, lines]) => `${key}${colon}${lines.map(([text, eol]) => text + eol).join(" ")}`);

  it("of well-formed fields put together are the block, and its rest is the rest", () =>
    fc.assert(
      fc.property(
        fc.array(field, { maxLength: 8 }),
        fc.constantFrom("", "\r\n", "\r\nbody: x\r\n", "\n"),
        (written, rest) => {
          const block = Buffer.from(written.join("") + rest, "latin1");
          const { fields, malformed } = Headers.parse(block);
          expect(malformed).toBe(0);
          expect(fields).toHaveLength(written.length);
          expect(fields.map(({ start, end }) => block.toString("latin1", start, end))).toEqual(written);
          expect(slices(block, fields) + rest).toBe(block.toString("latin1"));
        },
      ),
    ));

  it("of any bytes rise, do not overlap, and stand inside the block", () =>
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "B", ":", " ", "\t", "\r", "\n", "\r\n", "\xe9", "\0") }),
        (text) => {
          const block = Buffer.from(text, "latin1");
          const { fields, malformed } = Headers.parse(block);
          let before = 0;
          for (const { start, end } of fields) {
            expect(start).toBeGreaterThanOrEqual(before);
            expect(end).toBeGreaterThan(start);
            before = end;
          }
          expect(before).toBeLessThanOrEqual(block.length);
          const contiguous = fields.every(({ start }, index) => start === (fields[index - 1]?.end ?? 0));
          expect(contiguous || malformed > 0).toBe(true);
        },
      ),
      { numRuns: 1000 },
    ));
});
