/**
 * The words of a mail without what carries them. Quoting marks, reply prefixes, header lines standing in the text,
 * footers of mailing lists, declared labels and the recipient's own name are taken out: they tell how a mail
 * travelled, or are free to add for whoever wants to pass, and a model that leans on them learns its corpus by heart.
 */

export interface Wording {
  /** Lower case, Latin letters without marks, digits as 0. */
  readonly subject: string;
  readonly body: string;
}

/** Characters of the body that are read: beginning and end, where the offer and the way to buy stand. */
const HEAD_CHARS = 12_000;
const TAIL_CHARS = 4_000;
const SUBJECT_CHARS_MAX = 400;

const REPLY_PREFIX =
  /^(?:\s|[●○◆■★☆※◎]|(?:re|fw|fwd|aw|sv|tr|答复|回复|转发|答覆|回覆|轉寄|转寄|トピ|tl|trả lời|chuyển tiếp)(?:\[\d+\]|\(\d+\))?\s*[:：]|\*{3,}spam\*{3,}|\[spam\])+/i;
const LIST_PREFIX = /\[[a-z0-9 ._&/+-]{2,40}\]/gi;
/** Labels that packs know, at the front of a subject or text: the label rules read them, the signal stands without. */
const LABEL =
  /^[\s[(（【{《<"'“「_*-]{0,4}(?:广告|廣告|adv?|qc|tb|quảng cáo|quang cao|thông báo|thong bao)(?:\s*\d{4,12})?[\s\])）】}》>"'”」:：;,._*/-]+(?=\S)/i;

/** Takes reply and list prefixes and a declared label off a subject. */
export function bareSubject(subject: string): string {
  let text = subject.slice(0, SUBJECT_CHARS_MAX).replace(LIST_PREFIX, " ");
  for (let round = 0; round < 3; round += 1) text = text.replace(REPLY_PREFIX, "").replace(LABEL, "");
  return text.replace(/【请注意[^】]{0,200}】/g, " ");
}

const QUOTE_MARKS = /^(?:\s*(?:[>|]|:(?=[\s:]|$)))+\s?/;
/** Lines that belong to quoting, transport or a list rather than to what is said. */
const HEADER_LINE =
  /^[\s*]*(?:from|to|cc|bcc|sent|date|subject|reply-to|message-id|content-[a-z-]+|mime-version|received|return-path|organization|importance|x-[a-z-]+|发件人|寄件者|寄件人|发送时间|发送日期|寄件日期|日期|收件人|收件者|抄送人?|副本|主题|主旨|主\s?题|发信人|发信站|信区|标\s{0,2}题|来\s{0,2}源|转信站|差出人|送信日時|宛先|件名|người gửi|từ|đến|chủ đề|ngày)\s*[:：]/i;
const QUOTING =
  /(?:wrote|writes|写道|寫道|đã viết|schrieb|a écrit)\s*[:：]?\s*$|的大作中提到|^[\s-]*(?:original message|forwarded message|邮件原件|原始邮件|原邮件|转发邮件|轉寄郵件)[\s-]*$|※\s*(?:来源|转载|修改)/i;
const LIST_LINE =
  /mailing list\b|mailman\/|listinfo|\/lists\/|unsubscribe send an email|-(?:request|leave|unsubscribe)@|(?:to|un)subscribe[ ,].{0,40}(?:list|email to|mail to)|sponsored by:|google groups|yahoo! groups|yahoogroups|list archives?\b|代发】/i;

const cutMiddle = (text: string): string =>
  text.length <= HEAD_CHARS + TAIL_CHARS ? text : `${text.slice(0, HEAD_CHARS)}\n${text.slice(-TAIL_CHARS)}`;

/** Lines of a body that somebody wrote for this reader or quoted from another. */
export function bareBody(text: string): string {
  const kept: string[] = [];
  for (const line of cutMiddle(text).split("\n")) {
    const bare = line.replace(QUOTE_MARKS, "");
    if (bare.length < 400 && (HEADER_LINE.test(bare) || QUOTING.test(bare) || LIST_LINE.test(bare))) continue;
    kept.push(bare);
  }
  return kept.join("\n").replace(LABEL, "");
}

/** Letters of Latin script that do not come apart into letter and mark. */
const SINGLE: Readonly<Record<string, string>> = {
  đ: "d",
  ð: "d",
  ł: "l",
  ø: "o",
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ŋ: "n",
  ħ: "h",
  ŧ: "t",
  ı: "i",
  þ: "th",
  ƙ: "k",
  ɓ: "b",
};

/** Lower case without marks: `Khuyến mãi` and `khuyen mai` are the same words, and most Vietnamese mail writes the latter. */
export function foldLatin(text: string): string {
  const lower = text.toLowerCase();
  if (!/[\u00c0-\u02af\u1e00-\u1eff]|\p{M}/u.test(lower)) return lower;
  return lower
    .normalize("NFD")
    .replace(/\p{Mn}+/gu, "")
    .replace(/[đðłøßæœŋħŧıþƙɓ]/g, (letter) => SINGLE[letter] ?? letter)
    .normalize("NFC");
}

/**
 * @param own local parts of the recipients' addresses: their names say nothing of the mail
 */
export function wordingOf(mail: { subject: string; text: string; own: readonly string[] }): Wording {
  const mask = maskOf(mail.own);
  const finish = (text: string): string => {
    let folded = foldLatin(text);
    // Most texts have none of these, and looking for a character is much cheaper than looking for a pattern.
    if (folded.includes("&")) folded = folded.replace(/&[a-z]{2,6};/g, " ");
    if (folded.includes("://") || folded.includes("www."))
      folded = folded.replace(/(?:https?:\/\/|www\.)[^\s<>"'()\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]+/g, " \u0001u ");
    if (folded.includes("@")) folded = folded.replace(/[\w.+-]{1,64}@[\w.-]{1,255}/g, " \u0001m ");
    return (mask ? folded.replace(mask, " ") : folded).replace(/\d/g, "0");
  };
  return { subject: finish(bareSubject(mail.subject)), body: finish(bareBody(mail.text)) };
}

/** Recipients whose names are masked. */
const OWN_MAX = 10;

function maskOf(own: readonly string[]): RegExp | undefined {
  const names = own.slice(0, OWN_MAX).filter((name) => name.length >= 3 && name.length <= 64);
  if (names.length === 0) return undefined;
  const quoted = names.map((name) => foldLatin(name).replace(/[^\p{L}\p{N}]/gu, "\\$&"));
  return new RegExp(`(?:${quoted.join("|")})`, "g");
}
