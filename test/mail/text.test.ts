import fc from "fast-check";
import iconv from "iconv-lite";
import { describe, expect, it } from "vitest";
import { emptyText, readText, TEXT_LIMITS } from "../../src/mail/text.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const mail = (...lines: (string | Buffer)[]): Buffer =>
  Buffer.concat(lines.flatMap((line) => [Buffer.isBuffer(line) ? line : Buffer.from(line), Buffer.from("\r\n")]));
const read = (...lines: (string | Buffer)[]) => readText(mail(...lines));
const HTML = "Content-Type: text/html; charset=utf-8";
const alternative = (...parts: string[][]): Buffer =>
  mail("Content-Type: multipart/alternative; boundary=b", "", ...parts.flatMap((part) => ["--b", ...part]), "--b--");

describe("the text a reader sees", () => {
  it("of a plain mail, blanks and empty lines in a row counting once", () => {
    expect(read("Subject: s", "", "one   two", "", "", "three ").text).toBe("one two\nthree");
  });

  it("in the charset and encoding it came in", () => {
    const body = iconv.encode("代开发票，欢迎来电", "gbk").toString("base64");
    const encoded = read("Content-Type: text/plain; charset=gb2312", "Content-Transfer-Encoding: base64", "", body);
    expect(encoded.text).toBe("代开发票,欢迎来电");
    const raw = read("Content-Type: text/plain", "", iconv.encode("代开发票，欢迎来电", "gbk"));
    expect(raw.text).toBe("代开发票,欢迎来电");
  });

  it("is that of the richer alternative, as mail programs show it", () => {
    const both = alternative(["Content-Type: text/plain", "", "plain words"], [HTML, "", "<p>rich <b>words</b></p>"]);
    expect(readText(both)).toMatchObject({ text: "rich words", html: true });
  });

  it("is that of the plain alternative when the richer one shows nothing", () => {
    const both = alternative(["Content-Type: text/plain", "", "plain words"], [HTML, "", "<p> </p>"]);
    expect(readText(both).text).toBe("plain words");
  });

  it("is not that of attachments, which are counted", () => {
    const { text, attachments, images } = readText(
      mail(
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b",
        "",
        "see the file",
        "--b",
        "Content-Type: text/plain",
        "Content-Disposition: attachment",
        "",
        "inside",
        "--b",
        "Content-Type: image/png",
        "",
        "x",
        "--b--",
      ),
    );
    expect({ text, attachments, images }).toEqual({ text: "see the file", attachments: 1, images: 1 });
  });

  it("has the links of HTML, or else the addresses in the text", () => {
    expect(read(HTML, "", '<a href="https://a.example/x">https://b.example</a>').links).toEqual([
      "https://a.example/x",
    ]);
    expect(read("", "see https://a.example/x, or www.b.example").links).toEqual([
      "https://a.example/x,",
      "www.b.example",
    ]);
  });

  it("leaves out what is hidden, and says how much that was", () => {
    const { text, hiddenChars } = read(HTML, "", '<p style="display:none">ordinary words</p><p>buy</p>');
    expect({ text, hiddenChars }).toEqual({ text: "buy", hiddenChars: 13 });
  });

  it("joins words torn by characters that nobody sees, and counts the tears", () => {
    const torn = read("Content-Type: text/plain; charset=utf-8", "", "fr\u200bee m\u200boney, сhеар");
    expect(torn).toMatchObject({ text: "free money, cheap", zeroWidth: 2, lookAlikes: 1 });
  });

  it("of nothing but a picture is its alternative text, and that is said", () => {
    const { text, alt, imageOnly } = read(HTML, "", '<img src="cid:1" alt="Giant summer sale">');
    expect({ text, alt, imageOnly }).toEqual({ text: "", alt: "Giant summer sale", imageOnly: true });
  });

  it("of nothing is nothing", () => expect(readText(Buffer.alloc(0))).toEqual(emptyText()));
});

describe("any input", () => {
  const b64 = Buffer.from("<p>广告</p>".repeat(40_000)).toString("base64");
  const cases: [title: string, bytes: Buffer][] = [
    ["a megabyte of base64 HTML", mail(HTML, "Content-Transfer-Encoding: base64", "", b64)],
    ["a megabyte of GBK", mail("", iconv.encode("代开发票".repeat(130_000), "gbk"))],
    ["a megabyte of zeros", mail("", Buffer.alloc(1_100_000))],
    [
      "a megabyte of escapes",
      mail("Content-Type: text/plain; charset=iso-2022-jp", "", "\x1b$B0\x1b(B".repeat(120_000)),
    ],
    ["UTF-7 without end", mail("Content-Type: text/plain; charset=utf-7", "", "+".repeat(1_000_000))],
    ["many text parts", mail("Content-Type: multipart/mixed; boundary=b", "", "--b\r\n\r\nтекст\r\n".repeat(60_000))],
    [
      "marks heaped on a letter",
      mail("Content-Type: text/plain; charset=utf-8", "", `a${"\u0315\u0300\u0327".repeat(100_000)}`),
    ],
  ];
  it.each(cases)("%s: read in a bounded time, to a bounded text", (_, bytes) => {
    expect(cpuTimeMs(() => void readText(bytes))).toBeLessThan(500);
    const { text, alt } = readText(bytes);
    expect(text.length).toBeLessThanOrEqual(TEXT_LIMITS.textCharsMax);
    expect(alt.length).toBeLessThanOrEqual(TEXT_LIMITS.textCharsMax);
  });

  it("what lies beyond the limits is not read, and that is said", () => {
    expect(read("", "x".repeat(TEXT_LIMITS.mailBytesMax + 1)).truncated).toBe(true);
    expect(read("", "x ".repeat(100_000)).truncated).toBe(true);
    expect(read("", "short").truncated).toBe(false);
  });

  const FRAGMENTS = [
    "Content-Type: multipart/alternative; boundary=b\r\n", "Content-Type: text/html; charset=gbk\r\n", "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n", "Content-Type: message/rfc822\r\n", "\r\n", "\n\n", "--b\r\n", "--b--", "=E5=B9", "5bm/5ZGK",
    "<p style=display:none>", "<img src=x alt=y>", "<!--", "\0", "\xff\xfe", "\xb9\xe3\xb8\xe6", "\u200b", "а", "&#8203;", "text ", "\x1b$B",
  ]; // biome-ignore format: a list to be read as one

  it("of pieces of mail in any order is read without a throw, twice the same", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 80 }), (pieces) => {
        const bytes = Buffer.from(pieces.join(""), "latin1");
        expect(readText(bytes)).toEqual(readText(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it("of any bytes likewise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        expect(readText(Buffer.from(bytes)).text.length).toBeLessThanOrEqual(2_000 * 18);
      }),
    );
  });
});
