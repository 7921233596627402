/**
 * Makes labels in every dress a writer can give them: charsets, encodings, words cut anywhere, folds, brackets; and Subjects that
 * only look as if they had one. Everything comes from a seed, so that a failure can be played again.
 */
import iconv from "iconv-lite";

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One made-up header block, and what it was made of. */
export interface Disguise {
  readonly block: Buffer;
  /** The Subject that a reader must see. */
  readonly text: string;
  /** For the message of a failure. */
  readonly story: string;
}

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
const below = (random: Random, end: number): number => Math.floor(random() * end);

const BRACKETS = [
  "",
  "",
  "[]",
  "()",
  "{}",
  "<>",
  "【】",
  "（）",
  "［］",
  "｛｝",
  "〈〉",
  "《》",
  "「」",
  "『』",
  "〔〕",
  "〖〗",
  "“”",
  "‘’",
  "«»",
  '""',
];
const SEPARATORS = ["", " ", ":", ": ", "：", "-", " - ", "|", "，", "、", "\u3000", "~", "!"];
const CHINESE = [
  "夏季新品上市，全场五折",
  "会员专享",
  "2026年秋季家居展",
  "國慶機票特價",
  "镕园茶庄",
  "㐂庆开业",
  "新品 Apple 手机",
  "五折",
];
const VIETNAMESE = ["Khuyến mãi mùa hè", "Ưu đãi cuối năm", "Giảm giá 50%", "khong dau", "Summer sale", "夏季新品"];
const HIDDEN = [
  "\u200B",
  "\u200C",
  "\u200D",
  "\uFEFF",
  "\u00AD",
  "\u2060",
  "\u200E",
  "\u202E",
  "\u2068",
  "\uFE0F",
  "\u034F",
  "\u3164",
  "\uFFA0",
  "\u180E",
];
const LOOK_ALIKES: Readonly<Record<string, readonly string[]>> = {
  A: ["\u0410", "\u0391", "\u13AA", "\uA4EE"],
  D: ["\u0500", "\u13A0", "\u15EA", "\uA4D3", "\u0110"],
  Q: ["\u051A", "\u2D55"],
  C: ["\u0421", "\u03F9", "\u13DF", "\uA4DA"],
  V: ["\u0474", "\u13D9", "\uA4E6"],
};

/** A Subject that carries the label of China. */
export function chineseAd(random: Random): string {
  const word = pick(random, ["广告", "AD", "ＡＤ", "AＤ", "ＡD"]);
  const [open = "", close = ""] = [...pick(random, BRACKETS)];
  const blank = pick(random, ["", "", "", " ", "\u3000"]);
  const inside = open ? pick(random, ["", "", " "]) : "";
  return `${open && blank}${open}${inside}${word}${inside}${close}${pick(random, SEPARATORS)}${pick(random, CHINESE)}`;
}

/** A Subject that carries a label of Vietnam. */
export function vietnameseAd(random: Random): string {
  const code = [0, 0, 0].map(() => pick(random, [..."ABCXYZ0123456789"])).join("");
  const label = pick(random, ["[QC]", "[ADV]", `[QC ${code}1]`, `[ADV ${code}1]`]);
  return `${label}${pick(random, SEPARATORS)}${pick(random, VIETNAMESE)}`;
}

const ANYTHING = ["여름 세일", "신상품 안내", "Summer sale", "Khuyến mãi mùa hè", "夏季新品", "50% off"];

/** A Subject that begins with a label to the letter. */
export const exactAd = (random: Random, label: string): string => `${label}${pick(random, ANYTHING)}`;

/** A Subject that comes near a label and does not carry it. */
export function nearMiss(random: Random, label: string): string {
  const letters = [...label];
  const at = 1 + below(random, letters.length - 1);
  const mutations: (() => string)[] = [
    () =>
      `${pick(random, ["Re: ", "RE：", "Fwd: ", "FW: ", "回复：", "转发：", "Trả lời: ", "[list] ", "(1) ", "x"])}${label} x`,
    () => `${letters.slice(0, at).join("")}${pick(random, HIDDEN)}${letters.slice(at).join("")} x`,
    () => `${pick(random, HIDDEN)}${label} x`,
    () => `${letters.slice(0, at).join("")}${pick(random, [" ", ".", "*", "\u3000"])}${letters.slice(at).join("")} x`,
    () => pick(random, ["Adobe ", "ADVERT ", "Advertisement ", "ADVANCED ", "ADmin ", "[QCVN] ", "[ADVICE] "]) + label,
    () => `${label.toLowerCase() === label ? "廣告" : label.toLowerCase()} x`,
    () => `${swapLookAlike(random, letters) ?? `*${label}`} x`,
    () => pick(random, [...CHINESE, ...VIETNAMESE]),
  ];
  return pick(random, mutations)();
}

/** One Latin letter replaced by another script's; undefined when there is none. */
function swapLookAlike(random: Random, letters: readonly string[]): string | undefined {
  const places = letters.flatMap((letter, index) => (LOOK_ALIKES[letter] ? [index] : []));
  if (places.length === 0) return undefined;
  const place = pick(random, places);
  return letters.map((letter, index) => (index === place ? pick(random, LOOK_ALIKES[letter] ?? []) : letter)).join("");
}

/** Charsets by the name that is written, and the one that encodes. */
const CHARSETS = [
  ["UTF-8", "utf8"],
  ["utf-8*zh-CN", "utf8"],
  ["utf8", "utf8"],
  ["GB2312", "gbk"],
  ["gb2312", "gbk"],
  ["GBK", "gbk"],
  ["x-gbk", "gbk"],
  ["GB18030", "gb18030"],
  ["Big5", "cp950"],
  ["windows-1258", "windows1258"],
  ["EUC-KR", "euc-kr"],
  ["us-ascii", "ascii"],
] as const;

/** Puts a Subject on the wire in one of all the ways that mean it. */
export function disguise(random: Random, text: string): Disguise {
  const [name, charset] = pick(
    random,
    CHARSETS.filter(([, encoder]) => iconv.decode(iconv.encode(text, encoder), encoder) === text),
  );
  const bytes = iconv.encode(text, charset);
  const raw = (charset === "utf8" || charset === "gb18030") && random() < 0.1;
  const value = raw ? bytes.toString("latin1") : words(random, bytes, name);
  const before = pick(random, ["", "From: a@b.example\r\nX-Subject: AD\r\n", "Received: by x\r\n\tfor y\r\n"]);
  const name2 = pick(random, ["Subject: ", "subject:", "SUBJECT: ", "Subject:\r\n "]);
  const block = Buffer.from(`${before}${name2}${value}\r\nDate: now\r\n\r\n`, "latin1");
  return { block, text, story: `${JSON.stringify(text)} as ${raw ? "raw " : ""}${name}: ${JSON.stringify(value)}` };
}

/** Bytes as encoded words, cut at any byte, each in B or Q. */
function words(random: Random, bytes: Buffer, charset: string): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + below(random, 45);
    parts.push(word(random, bytes.subarray(at, at + length), charset));
    at += length;
    if (at < bytes.length) parts.push(pick(random, ["\r\n ", "\r\n\t", " ", "  ", "\r\n  \t", ""]));
  }
  return parts.join("");
}

function word(random: Random, bytes: Buffer, charset: string): string {
  if (random() < 0.5) return `=?${charset}?${pick(random, ["B", "b"])}?${bytes.toString("base64")}?=`;
  const hex = pick(random, [(byte: number) => hexOf(byte).toUpperCase(), hexOf]);
  const plain = random() < 0.7;
  const quoted = [...bytes].map((byte) => {
    if (byte === 32 && random() < 0.8) return "_";
    return plain && /[A-Za-z0-9]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `=${hex(byte)}`;
  });
  return `=?${charset}?${pick(random, ["Q", "q"])}?${quoted.join("")}?=`;
}

const hexOf = (byte: number): string => byte.toString(16).padStart(2, "0");
