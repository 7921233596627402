import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Part, WALK_LIMITS, walkMail } from "../../src/mail/mime-walk.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const walk = (...lines: string[]) => walkMail(Buffer.from(lines.join("\r\n"), "latin1"));

/** A tree in short: mixed(text/plain "body", …). */
const drawing = (bytes: Buffer, part: Part): string =>
  part.kind === "leaf"
    ? `${part.attached ? "@" : ""}${part.type} ${JSON.stringify(bytes.toString("latin1", part.start, part.end))}`
    : `${part.subtype}(${part.children.map((child) => drawing(bytes, child)).join(", ")})`;
const draw = (...lines: string[]): string => {
  const bytes = Buffer.from(lines.join("\r\n"), "latin1");
  return drawing(bytes, walkMail(bytes).root);
};
const MIXED = 'Content-Type: multipart/mixed; boundary="b"';

describe("the parts of a mail", () => {
  const cases: [title: string, lines: string[], tree: string][] = [
    ["plain text without a word about it", ["Subject: a", "", "body"], 'text/plain "body"'],
    ["HTML", ["Content-Type: text/HTML; charset=x", "", "<p>"], 'text/html "<p>"'],
    ["lines that end in LF alone", ["Content-Type: text/html\n\n<p>"], 'text/html "<p>"'],
    ["no header at all", ["", "body"], 'text/plain "body"'],
    ["no body at all", ["Subject: a"], 'text/plain ""'],
    ["a folded Content-Type", ["Content-Type: text/html;", '\tcharset="utf-8"', "", "x"], 'text/html "x"'],
    [
      "two parts, the text around them left out",
      [MIXED, "", "before", "--b", "", "one", "--b", "Content-Type: text/html", "", "two", "--b--", "after"],
      'mixed(text/plain "one", text/html "two")',
    ],
    ["a boundary with blanks behind it", [MIXED, "", "--b  \t", "", "one", "--b--"], 'mixed(text/plain "one")'],
    ["a line that only begins like the boundary", [MIXED, "", "--b", "", "--bc", "--b--"], 'mixed(text/plain "--bc")'],
    [
      "a boundary without quotes",
      ["Content-Type: multipart/mixed; boundary=b", "", "--b", "", "x", "--b--"],
      'mixed(text/plain "x")',
    ],
    ["a multipart that never ends", [MIXED, "", "--b", "", "one"], 'mixed(text/plain "one")'],
    ["a multipart without its boundary is one text", [MIXED, "", "one"], 'text/unknown "one"'],
    ["a multipart that names none too", ["Content-Type: multipart/mixed", "", "one"], 'text/unknown "one"'],
    [
      "a part inside a part",
      [
        MIXED,
        "",
        "--b",
        'Content-Type: multipart/alternative; boundary="c"',
        "",
        "--c",
        "",
        "x",
        "--c--",
        "--b",
        "",
        "y",
        "--b--",
      ],
      'mixed(alternative(text/plain "x"), text/plain "y")',
    ],
    [
      "an enclosed mail, read through",
      [MIXED, "", "--b", "Content-Type: message/rfc822", "", "Content-Type: text/html", "", "x", "--b--"],
      'mixed(message(text/html "x"))',
    ],
    [
      "an attached mail is an attachment",
      [MIXED, "", "--b", "Content-Type: message/rfc822", "Content-Disposition: attachment", "", "", "x", "--b--"],
      'mixed(@message/rfc822 "\\r\\nx")',
    ],
    [
      "a digest, whose parts are mails",
      ["Content-Type: multipart/digest; boundary=b", "", "--b", "", "Subject: s", "", "x", "--b--"],
      'digest(message(text/plain "x"))',
    ],
    [
      "an attachment",
      ["Content-Type: text/plain", "Content-Disposition: Attachment; filename=a", "", "x"],
      '@text/plain "x"',
    ],
  ];
  it.each(cases)("%s", (_, lines, tree) => expect(draw(...lines)).toBe(tree));

  it("what contradicts itself is counted", () => {
    expect(walk(MIXED, "", "nothing").malformed).toBe(1);
    expect(walk(MIXED, "", "--b", "", "x").malformed).toBe(1);
    expect(walk(MIXED, "", "--b", "", "x", "--b--").malformed).toBe(0);
  });
});

const depthOf = (part: Part): number => (part.kind === "leaf" ? 0 : 1 + Math.max(0, ...part.children.map(depthOf)));
const countOf = (part: Part): number =>
  part.kind === "leaf" ? 1 : part.children.reduce((sum, child) => sum + countOf(child), 1);

describe("hostile structures", () => {
  const nested = (levels: number): string =>
    Array.from(
      { length: levels },
      (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\n\n--b${level}\n`,
    ).join("");

  it("nesting ends at a depth, and it is said that more was there", () => {
    const { root, skipped } = walkMail(Buffer.from(nested(500)));
    expect(depthOf(root)).toBe(WALK_LIMITS.depthMax);
    expect(skipped).toBeGreaterThan(0);
  });

  it("parts end at a number", () => {
    const { root, skipped } = walkMail(Buffer.from(`${MIXED}\n\n${"--b\n\nx\n".repeat(50_000)}`));
    expect(countOf(root)).toBeLessThanOrEqual(WALK_LIMITS.partsMax + 1);
    expect(skipped).toBeGreaterThan(0);
  });

  const cases: [title: string, mail: string][] = [
    ["a thousand levels", nested(10_000)],
    ["lines that begin like a boundary", `${MIXED}\n\n--b\n\n${"--bx\n".repeat(190_000)}`],
    ["the same boundary on every level", 'Content-Type: multipart/mixed; boundary="b"\n\n--b\n'.repeat(20_000)],
    ["mails inside mails", "Content-Type: message/rfc822\n\n".repeat(30_000)],
    ["a Content-Type folded without end", `Content-Type: multipart/mixed;\n${"\tx=y;\n".repeat(150_000)}\n\n`],
    ["Content-Types by the thousand", `${"Content-Type: text/plain\n".repeat(40_000)}\n`],
    ["a header that never ends", "X: y\n".repeat(200_000)],
  ];
  it.each(cases)("%s", (_, mail) => {
    const bytes = Buffer.from(mail.slice(0, 1_048_576), "latin1");
    expect(cpuTimeMs(() => void walkMail(bytes))).toBeLessThan(300);
  });

  it("whatever the bytes, every part lies inside the mail", () => {
    const piece = fc.constantFrom(
      MIXED,
      "\r\n",
      "\n",
      "\n\n",
      "--b",
      "--b--",
      "--b\n",
      "Content-Type: message/rfc822",
      "Content-Type: multipart/digest; boundary=b",
      "x",
      " ",
      "\0",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const bytes = Buffer.from(pieces.join(""), "latin1");
        const check = (part: Part): void => {
          if (part.kind === "branch") return part.children.forEach(check);
          expect(part.start).toBeGreaterThanOrEqual(0);
          expect(part.end).toBeGreaterThanOrEqual(part.start);
          expect(part.end).toBeLessThanOrEqual(bytes.length);
        };
        check(walkMail(bytes).root);
      }),
    );
  });
});
