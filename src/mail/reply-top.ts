/**
 * What somebody wrote himself in an answer: the text above what he quotes. Mail programs mark what they quote in a few ways; where none is
 * found the whole text is his, and whoever reads it must not believe a long one.
 */

/** Lines that begin what is quoted: attributions, dividers, and header blocks put into the text. */
const QUOTE_BEGINS: readonly RegExp[] = [
  /^\s*[>|]/,
  /^\s*-{2,}\s*(?:original message|forwarded message|原始邮件|转发邮件|thư gốc|tin nhắn gốc)/i,
  /^\s*-{2,}\s?$/,
  /^\s*_{8,}\s*$/,
  /^\s*(?:on|at|am|le) .{4,200}(?:wrote|writes) ?:?\s*$/i,
  /^\s*(?:在|于)?.{0,200}(?:写道|写到|寫道) ?[:：]?\s*$/,
  /^\s*(?:vào|lúc|ngày) .{0,200}(?:đã viết|viết) ?:?\s*$/i,
  /^\s*(?:from|sent|发件人|寄件人|发送时间|日期|từ|đã gửi) ?[:：] ?\S/i,
];
/** An attribution may be broken over two lines. */
const BROKEN = /^\s*(?:on|at|在|于|vào|lúc|ngày)\b.{4,200}$/i;
const LINES_MAX = 200;

/** @param text as a reader sees it (mail/text.ts) */
export function topOfReply(text: string): string {
  const lines = text.split("\n", LINES_MAX);
  const end = lines.findIndex((line, index) => beginsQuote(line, lines[index + 1]));
  return (end < 0 ? lines : lines.slice(0, end)).join("\n").trim();
}

const beginsQuote = (line: string, next: string | undefined): boolean =>
  QUOTE_BEGINS.some((pattern) => pattern.test(line)) ||
  (next !== undefined &&
    BROKEN.test(line) &&
    QUOTE_BEGINS.slice(4, 7).some((pattern) => pattern.test(`${line} ${next}`)));
