/**
 * What laws want to find in an advertisement, looked for in the text a reader sees: a way to refuse, who sends it and how he is reached.
 * A machine can tell that something of the kind is there, not that it is true; so packs only note it unless an operator's own says more.
 */
import type { CONTENT_ITEMS } from "../law/pack.ts";
import type { Headers } from "../mail/headers.ts";
import { addressesIn } from "../mail/mailboxes.ts";
import type { MailText } from "../mail/text.ts";

export type ContentItem = (typeof CONTENT_ITEMS)[number];

export interface Letter {
  readonly headers: Headers;
  readonly text: MailText;
}

/** How people are told where to refuse, by the language it is said in. */
const REFUSING: Readonly<Record<string, RegExp>> = {
  en: /unsubscrib|opt(?:ing)?[- ]?out|stop receiving|no longer wish|refuse (?:these|our|all|further|any)|remove me/i,
  zh: /退订|退訂|拒收|取消订阅|取消訂閱|不再接收|谢绝|回复\s*(?:TD|T|N)\b/i,
  vi: /từ chối|tu choi nhan|hủy đăng ký|huỷ đăng ký|huy dang ky|ngừng nhận|ngung nhan|không muốn nhận/i,
  ja: /配信停止|購読解除|解除/,
  ko: /수신\s*거부|수신거부/,
};
/** Begins where a word does: a text of one long word would be tried from each of its letters. */
const ADDRESS = /(?<![\w.+-])[\w.+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/u;
const PHONE = /(?:\+|\b0|\b1[89]00|\b400|\b\(0)[\d().\s-]{6,18}\d/;
const WEB = /https?:\/\/|\bwww\./i;
const POSTAL =
  /地址|路\s*\d+\s*号|街\s*\d+\s*号|大厦|địa chỉ|\bdia chi\b|\bđường\b|phường|quận|\baddress\b|\bstreet\b|\bP\.?O\.? box\b|\bavenue\b|\bsuite\b|〒\d|\broad\b/i;
/** Characters of the last part of a mail, where a law wants the refusal to stand. */
const LAST_PART_CHARS = 1_500;
/** Shorter names are found in any text. */
const NAME_CHARS_MIN = 2;

type Test = (letter: Letter, languages: readonly string[]) => boolean;

const says = (text: string, languages: readonly string[]): boolean =>
  languages.length > 0
    ? languages.every((language) => REFUSING[language]?.test(text) ?? true)
    : Object.values(REFUSING).some((words) => words.test(text));

const refusesBy = ({ headers, text }: Letter): boolean =>
  headers.count("list-unsubscribe") > 0 || ADDRESS.test(text.text) || WEB.test(text.text) || text.links.length > 0;

const TESTS: Readonly<Record<ContentItem, Test>> = {
  "refusal-contact": (letter, languages) =>
    letter.headers.count("list-unsubscribe") > 0 || (says(letter.text.text, languages) && refusesBy(letter)),
  "refusal-block": (letter, languages) =>
    says(letter.text.text.slice(-LAST_PART_CHARS), languages) && refusesBy(letter),
  "sender-email": ({ text, headers }) =>
    ADDRESS.test(text.text) ||
    text.links.some((link) => /^mailto:/i.test(link)) ||
    /mailto:/i.test(headers.first("list-unsubscribe") ?? ""),
  "advertiser-name": named,
  phone: ({ text }) => PHONE.test(text.text) || text.links.some((link) => /^tel:/i.test(link)),
  "postal-address": ({ text }) => POSTAL.test(text.text),
  "web-address": ({ text }) => WEB.test(text.text) || text.links.some((link) => WEB.test(link)),
};

/** Is something of this kind there? @param languages it must be said in; none: any of those we know */
export const hasContent = (item: ContentItem, letter: Letter, languages: readonly string[]): boolean =>
  TESTS[item](letter, languages);

/** The name before the address in From, or the name of its domain, stands in the text too. */
function named({ headers, text }: Letter): boolean {
  const display = /^\s*"?([^"<]{1,200}?)"?\s*</.exec(headers.first("from") ?? "")?.[1] ?? "";
  const labels = addressesIn(headers, "from").flatMap(({ domain }) => domain.split(".").slice(0, -1));
  const shown = text.text.toLowerCase();
  return [display.trim(), ...labels]
    .filter((name) => name.length >= NAME_CHARS_MIN && !GENERIC.has(name.toLowerCase()))
    .some((name) => shown.includes(name.toLowerCase()));
}

const GENERIC = new Set(["mail", "www", "news", "com", "co", "net", "org", "info", "email", "newsletter"]);
