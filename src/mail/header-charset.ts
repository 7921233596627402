/**
 * Bytes of an encoded word to characters. Unlike a text part (mime-charset.ts) a header is never guessed at: what
 * counts is what the label says, so that a reader's program and a filter see the same words. What cannot be read
 * becomes U+FFFD. Nothing here throws.
 */
import { isUtf8 } from "node:buffer";
import iconv from "iconv-lite";
import { decodeShifted, type ShiftFamily } from "./shifted-charset.ts";

/** How one charset is read. */
type Decode = (bytes: Buffer) => string;

const viaIconv =
  (name: string): Decode =>
  (bytes) =>
    iconv.decode(bytes, name);
/** Vietnamese charsets that write a letter and its tone as two characters. */
const composed =
  (name: string): Decode =>
  (bytes) =>
    iconv.decode(bytes, name).normalize("NFC");
const shifted =
  (family: ShiftFamily): Decode =>
  (bytes) =>
    decodeShifted(bytes, family);

/** A byte order mark in front is a signature and no text (RFC 3629 6). */
const utf8: Decode = (bytes) => {
  const text = bytes.toString("utf8");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
};
/** GB2312 and GBK are subsets; senders name them and write the wider set. */
const gb18030 = viaIconv("gb18030");
/** RFC 1428 "unknown-8bit", and every name nobody knows: ASCII is what it is, the rest cannot be read. */
const unknown: Decode = (bytes) => bytes.toString("latin1").replace(/[\x80-\xff]/g, "\uFFFD");

/**
 * Names that iconv-lite does not know, or knows for less than senders mean. Keys are lower case without punctuation:
 * "GB_2312-80" and "gb2312-80" are one. `base64` and `hex` are conversions of iconv-lite's, not charsets: with them a
 * word could be made whose text no mail reader shows.
 */
const ALIASES: Readonly<Record<string, string>> = {
  utf8: "utf8 utf8mb4 utf8n cp65001 unicode11utf8 xutf8",
  gb18030:
    "gb2312 gb231280 csgb2312 csiso58gb231280 isoir58 euccn eucgb2312cn xeuccn chinese gb gbk xgbk csgbk cp936 ms936 " +
    "windows936 gb18030 gb180302000 gb180302005",
  cp950: "big5 xbig5 csbig5 cnbig5 big5eten cp950 windows950",
  big5hkscs: "big5hkscs xxbig5 big5hkscs2004",
  cp949: "ksc56011987 ksc56011989 ksc5601 euckr xeuckr cp949 ms949 windows949 uhc",
  cp932: "shiftjis xshiftjis sjis xsjis mskanji cp932 windows31j",
  eucjp: "eucjp xeucjp cp51932",
  windows1252: "ascii usascii us iso646us ansix341968 ansix341986 iso88591 iso885911987 latin1 l1 xansi",
  iso88596: "iso88596i iso88596e",
  iso88598: "iso88598i iso88598e logical",
  windows1258: "windows1258 cp1258 win1258 xcp1258",
  tcvn: "tcvn tcvn5712 tcvn57121 xviettcvn5712 viettcvn5712",
  viscii: "viscii viscii111 csviscii xvietviscii",
  iso2022jp: "iso2022jp csiso2022jp iso2022jp1 iso2022jp2 csiso2022jp2 iso2022jp3 iso2022jpms cp50220 cp50221",
  iso2022cn: "iso2022cn csiso2022cn iso2022cnext",
  iso2022kr: "iso2022kr csiso2022kr",
  hzgb2312: "hzgb2312 hz",
  unknown: "unknown8bit xunknown unknown default 8bit binary base64 hex utf7imap internal",
};

/** By key as written: the name under which it is read. */
const canonical = new Map(
  Object.entries(ALIASES).flatMap(([name, aliases]) => aliases.split(" ").map((alias) => [alias, name] as const)),
);

/** What iconv-lite cannot do, or does with more than a header should bear. All else goes to iconv-lite by its name. */
const decoders = new Map<string, Decode>([
  ["utf8", utf8],
  ["gb18030", gb18030],
  ["windows1258", composed("windows1258")],
  ["tcvn", composed("tcvn")],
  ["iso2022jp", shifted("jp")],
  ["iso2022cn", shifted("cn")],
  ["iso2022kr", shifted("kr")],
  ["hzgb2312", shifted("hz")],
  ["unknown", unknown],
]);

/** All names iconv-lite has. Asked one by one it builds an error for each that it has not: ten microseconds of a mail's. */
const iconvNames: ReadonlySet<string> = (() => {
  iconv.encodingExists("utf8");
  return new Set(Object.keys(iconv.encodings ?? {}));
})();

/** Longer names are nobody's (RFC 2978 2.3 allows 40). */
const NAME_MAX = 40;

/**
 * The one name of a charset however it is written: `GB_2312-80`, `gbk` and `x-gbk*zh` are all "gb18030". A language
 * suffix (RFC 2231 5) is left out. For `decodeBytes`, and for telling whether two words go together.
 */
export function charsetName(written: string): string {
  const star = written.indexOf("*");
  const name = (star < 0 ? written : written.slice(0, star)).slice(0, NAME_MAX);
  const key = name.toLowerCase().replace(/[^a-z0-9]+/g, "");
  return canonical.get(key) ?? (iconvNames.has(key) ? key : "unknown");
}

/** Decodes bytes in a charset named by `charsetName`; of an unknown one ASCII is left, and U+FFFD for the rest. */
export function decodeBytes(bytes: Buffer, charset: string): string {
  return (decoders.get(charset) ?? viaIconv(charset))(bytes);
}

/**
 * Bytes above 127 outside encoded words say no charset. UTF-8 where they are UTF-8 (RFC 6532), because hardly any other
 * text is by accident. Else GB18030 where all of it decodes: the mail that leaves its header raw is Chinese, and its
 * label must be seen as its readers see it. Else Latin-1, in which nothing is lost. The price is known: a raw Latin-1
 * word may come out as Chinese, but a label only from the label's own bytes.
 *
 * @param text one character a byte
 */
export function decodeUnlabelled(text: string): string {
  if (!/[\x80-\xff]/.test(text)) return text;
  const bytes = Buffer.from(text, "latin1");
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const chinese = gb18030(bytes);
  return chinese.includes("\uFFFD") ? text : chinese;
}
