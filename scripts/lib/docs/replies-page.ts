import { REPLIES, type ReplyId, replyText, writeReply } from "../../../src/mail/replies.ts";
import { code, GENERATED, table } from "./text.ts";

const SAMPLE = replyText(
  writeReply("consent-missing", { article: "Order 38 (CN 2006) art. 13(2)", mailId: "01M0X7S5E0K9ABC0000ZT4Q" }),
).replaceAll(" / ", "\n    ");

const INTRO = `# Replies

What a client hears. First what was wrong, then what would be accepted, then the article or RFC section and the mail's id, which the
operator finds in the ledger (\`consentry ledger find --id ID\`):

    ${SAMPLE}

ASCII only, since few clients negotiate SMTPUTF8; a label in another script is named by its code points (U+5E7F U+544A is 广告).
Scores, thresholds and other people's data are never said. 4xx: the sender's server keeps the mail and tries again.
Codes: RFC 5321 4.2, RFC 3463, RFC 7372. Syntax errors of the protocol itself (500 to 504, 535, 555) are not listed.`;

/** docs/reference/replies.md */
export function repliesPage(): string {
  const rows = (Object.keys(REPLIES) as ReplyId[]).map((id) => {
    const form = REPLIES[id];
    return [code(id), String(form.code), form.enhanced, form.wrong, form.accepted];
  });
  return `${[GENERATED, INTRO, table(["id", "code", "enhanced", "what was wrong", "what would be accepted"], rows)].join("\n\n")}\n`;
}
