/** What senders do to words so that filters do not read them, done to advertisements that are known without it. */
import iconv from "iconv-lite";
import { Headers } from "../../../src/mail/headers.ts";
import type { ReadMail } from "../../../src/signals/features.ts";
import { readMail } from "../../../src/signals/read.ts";
import type { Sample } from "./corpus.ts";

export interface Trick {
  readonly name: string;
  /** What is expected: that the words are read all the same, or only that the trick is noticed. */
  readonly expects: "read" | "noticed";
  dress(subject: string, text: string): Buffer;
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const html = (text: string): string => `<p>${escaped(text).replaceAll("\n", "<br>")}</p>`;
const utf8 = (text: string): Buffer => Buffer.from(text);
const wrap = (base64: string): string => base64.replace(/.{76}/g, "$&\r\n");

/** A mail with one part; the Subject always in an encoded word. */
function mailOf(
  subject: string,
  body: Buffer,
  { type, encoding = "8bit" }: { type: string; encoding?: string },
): Buffer {
  const word = `=?utf-8?B?${utf8(subject.replace(/[\r\n]+/g, " ")).toString("base64")}?=`;
  const content = encoding === "base64" ? utf8(wrap(body.toString("base64"))) : body;
  const head = [
    `Subject: ${word}`,
    "MIME-Version: 1.0",
    `Content-Type: ${type}`,
    `Content-Transfer-Encoding: ${encoding}`,
  ];
  return Buffer.concat([utf8(`${head.join("\r\n")}\r\n\r\n`), content, utf8("\r\n")]);
}

const PLAIN = "text/plain; charset=utf-8";
const HTML = "text/html; charset=utf-8";
const inHtml = (subject: string, source: string): Buffer => mailOf(subject, utf8(source), { type: HTML });

const quoted = (text: string): Buffer =>
  utf8(
    [...utf8(text)]
      .map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join("")
      .replace(/(?:=..){24}/g, "$&=\r\n"),
  );

const torn = (text: string): string => text.replace(/(\p{L})(?=\p{L})/gu, "$1\u200b");

const TWINS: Readonly<Record<string, string>> = {
  a: "а",
  e: "е",
  o: "о",
  p: "р",
  c: "с",
  x: "х",
  y: "у",
  i: "і",
  s: "ѕ",
};
/** Every second letter that has a twin, so that words mix scripts; Chinese text is set in full-width letters and styled digits. */
const disguised = (text: string): string => {
  let turn = 0;
  return text.replace(/[aeopcxyis]/g, (letter) => {
    turn += 1;
    return turn % 2 === 0 ? (TWINS[letter] ?? letter) : letter;
  });
};
const styled = (text: string): string =>
  text.replace(/[a-z]/g, (letter) => String.fromCodePoint(0x1d41a + letter.charCodeAt(0) - 97));

/** As many characters again of harmless talk, where nobody sees it. */
const TALK =
  "Thank you for the minutes of the meeting, I will send the corrected report tomorrow. 谢谢你的会议记录，我明天把修改后的报告发给你。 ";
const padding = (text: string): string => TALK.repeat(Math.ceil(text.length / TALK.length));

export const TRICKS: readonly Trick[] = [
  { name: "as plain text", expects: "read", dress: (s, t) => mailOf(s, utf8(t), { type: PLAIN }) },
  { name: "in base64", expects: "read", dress: (s, t) => mailOf(s, utf8(t), { type: PLAIN, encoding: "base64" }) },
  {
    name: "in quoted-printable",
    expects: "read",
    dress: (s, t) => mailOf(s, quoted(t), { type: PLAIN, encoding: "quoted-printable" }),
  },
  {
    name: "in GB18030",
    expects: "read",
    dress: (s, t) => mailOf(s, iconv.encode(t, "gb18030"), { type: "text/plain; charset=gb2312" }),
  },
  {
    name: "in GB18030, called UTF-8",
    expects: "read",
    dress: (s, t) => mailOf(s, iconv.encode(t, "gb18030"), { type: PLAIN }),
  },
  { name: "in UTF-8, called nothing", expects: "read", dress: (s, t) => mailOf(s, utf8(t), { type: "text/plain" }) },
  {
    name: "in HTML, every letter a number",
    expects: "read",
    dress: (s, t) => inHtml(s, [...t].map((c) => (c === "\n" ? "<br>" : `&#${c.codePointAt(0)};`)).join("")),
  },
  {
    name: "torn by zero-width spaces",
    expects: "read",
    dress: (s, t) => mailOf(torn(s), utf8(torn(t)), { type: PLAIN }),
  },
  {
    name: "torn by empty elements",
    expects: "read",
    dress: (s, t) => inHtml(s, html(t).replace(/(\p{L})(?=\p{L})/gu, "$1<b></b>")),
  },
  {
    name: "in letters that look Latin",
    expects: "read",
    dress: (s, t) => mailOf(disguised(s), utf8(disguised(t)), { type: PLAIN }),
  },
  {
    name: "in mathematical letters",
    expects: "read",
    dress: (s, t) => mailOf(styled(s), utf8(styled(t)), { type: PLAIN }),
  },
  {
    name: "beside as much hidden talk",
    expects: "read",
    dress: (s, t) => inHtml(s, `<div style="display:none">${html(padding(t))}</div>${html(t)}`),
  },
  {
    name: "beside as much white talk",
    expects: "read",
    dress: (s, t) => inHtml(s, `${html(t)}<font color="#ffffff">${html(padding(t))}</font>`),
  },
  {
    name: "in the text beside a picture only",
    expects: "read",
    dress: (s, t) => inHtml(s, `<img src="cid:1" alt="${escaped(t.slice(0, 480))}">`),
  },
  {
    name: "in attributes only",
    expects: "noticed",
    dress: (s, t) => inHtml(s, `<div title="${escaped(t)}"><img src="cid:1"></div>`),
  },
  {
    name: "in a picture only",
    expects: "noticed",
    dress: (s) => inHtml(s, '<a href="https://shop.example/"><img src="cid:1"></a>'),
  },
  {
    name: "in a picture only, no Subject",
    expects: "noticed",
    dress: () => inHtml("", '<a href="https://shop.example/"><img src="cid:1"></a>'),
  },
];

/** A sample after the trick, read the way the relay reads mail. */
export function playedOn({ mail }: Sample, trick: Trick): ReadMail {
  const bytes = trick.dress(mail.subject, mail.text.text);
  return { ...readMail(Headers.parse(bytes), bytes), own: mail.own };
}

/** Something about it is told as evidence, whatever the words are worth. */
export const isNoticed = ({ text }: ReadMail): boolean =>
  text.imageOnly || text.hiddenChars > 20 || text.zeroWidth > 2 || text.lookAlikes > 2;
