import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HTML_LIMITS, readHtml } from "../../src/mail/html-text.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const CHARS = 65_536;
const seen = (source: string): string => readHtml(source, CHARS).text.replace(/\s+/g, " ").trim();

describe("what a reader sees of HTML", () => {
  const cases: [title: string, source: string, text: string][] = [
    ["text between tags", "<p>Big <b>sale</b></p>", "Big sale"],
    ["blocks apart, words together", "<p>one</p><p>t<i>w</i>o</p>three<br>four", "one two three four"],
    ["cells apart", "<tr><td>price</td><td>99</td></tr>", "price 99"],
    ["no style, script, title or comment", "<title>t</title><style>p{}</style><script>x<y</script>a<!-- b -->c", "ac"],
    ["no hidden element, however deep", '<div style="display:none">a<b>b<i>c</i></b></div>d', "d"],
    ["text after a hidden one that never closes its children", '<div style="display:none"><p>a<p>b</div>c', "c"],
    ["no attribute", '<p title="cheap watches" data-x="buy now">hello</p>', "hello"],
    ["character references", "&lt;a&gt; &#24191;", "<a> 广"],
    ["a less-than that opens no tag", "1 < 2 and <3", "1 < 2 and <3"],
    ["text behind a greater-than inside a quoted value", '<a title="1 > 2">link</a>', "link"],
    ["text behind a quote that never closes", '<a title="x>link</a> rest', "link rest"],
    ["text behind a comment that never closes", "<!-- x>rest", "rest"],
    ["text behind a script that never closes", "<script>rest", "rest"],
    [
      "a conditional comment's content, which mail programs other than one do not show",
      "<!--[if mso]>a<![endif]-->b",
      "b",
    ],
    ["text of unknown elements", "<o:p>word</o:p><blink>x</blink>", "wordx"],
  ];
  it.each(cases)("%s", (_, source, text) => expect(seen(source)).toBe(text));
});

describe("besides the text", () => {
  it("links are told as written, without fragments", () => {
    const source = '<a href="https://shop.example/?a=1&amp;b=2">x</a><a href=#top>y</a><form action=/buy>';
    expect(readHtml(source, CHARS).links).toEqual(["https://shop.example/?a=1&b=2", "/buy"]);
  });

  it("pictures are counted, pixels that count readers are not, and what they say instead is kept", () => {
    const source = `<img src=a alt="Big &amp; cheap"><img src=b width="1" height="1" alt="no"><img src=c>`;
    const { images, alt } = readHtml(source, CHARS);
    expect({ images, alt }).toEqual({ images: 2, alt: "Big & cheap" });
  });

  it("letters that are there and not shown are counted", () => {
    expect(readHtml('<p>seen</p><p style="font-size:0">twelve letter</p>', CHARS).hiddenChars).toBe(12);
  });

  it("no more text comes back than was asked for", () => {
    expect(readHtml("<p>abcdef".repeat(100), 50).text).toHaveLength(50);
  });

  it("a tag as long as a picture does not count as one that may be read", () => {
    const source = `<img src="data:image/png;base64,${"A".repeat(100_000)}" alt="late"><p>text</p>`;
    const { images, text, alt } = readHtml(source, CHARS);
    expect({ images, text: text.trim(), alt }).toEqual({ images: 1, text: "text", alt: "" });
  });
});

describe("hostile HTML", () => {
  const cases: [title: string, source: string][] = [
    ["less-thans", "<".repeat(190_000)],
    ["tags never closed", "<b ".repeat(63_000)],
    ["quotes never closed", "<b x='".repeat(31_000)],
    ["one tag of quoted values", `<a ${'x="" '.repeat(38_000)}>`],
    ["comments never closed", "<!--".repeat(48_000)],
    ["elements opened and never closed", "<div style=color:red>".repeat(9_000)],
    ["end tags of what is not open below what is", "<p>".repeat(200) + "</b>".repeat(47_000)],
    ["silent elements that never close", "<svg><math><style>".repeat(10_000)],
    ["colours of nothing but blanks", `<p style=1 bgcolor=${" ".repeat(4_060)}>`.repeat(46)],
    ["character references", "&#x4e2d;".repeat(24_000)],
  ];
  it.each(cases)("%s", (_, source) => {
    expect(cpuTimeMs(() => void readHtml(source, CHARS))).toBeLessThan(300);
  });

  it("whatever it is, what comes back is bounded, and nothing is thrown", () => {
    const piece = fc.constantFrom(
      "<",
      ">",
      '"',
      "'",
      "=",
      "</",
      "<!--",
      "-->",
      "a",
      " ",
      "style",
      "display:none",
      "<p",
      "<a href",
      "&#x",
      ";",
      "</style>",
      "<script>",
      "\0",
      "广",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), fc.nat(100), (pieces, charsMax) => {
        const { text, links, images } = readHtml(pieces.join(""), charsMax);
        expect(text.length).toBeLessThanOrEqual(charsMax);
        expect(links.length).toBeLessThanOrEqual(HTML_LIMITS.linksMax);
        expect(images).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
