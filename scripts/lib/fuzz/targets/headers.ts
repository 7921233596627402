/** The header block: split, edited, read for what it claims. */
import { claimedResults } from "../../../../src/authenticity/results.ts";
import { editHeader, type HeaderEdit } from "../../../../src/mail/edits.ts";
import { Headers } from "../../../../src/mail/headers.ts";
import { mailboxesIn } from "../../../../src/mail/mailboxes.ts";
import { parseReceived, readMailDate } from "../../../../src/mail/received.ts";
import { declaredTopics, signsOf } from "../../../../src/signals/declared.ts";
import { sessionOf } from "../../../../test/helpers/letters.ts";
import { hold, type Target } from "../target.ts";
import { withinBounds } from "./bounds.ts";
import { PACKS } from "./packs-known.ts";

const ADDED = { kind: "add", name: "X-Ours", value: "one\r\n two" } as const;

export const headers: Target = {
  name: "headers",
  what: "header blocks: splitting, edits, Received, addresses, declarations",
  bytesMax: 262_144,
  corpus: "headers",
  crlf: true,
  words: [
    ...[
      "From: ",
      "To: ",
      "Subject: ",
      "Received: from a (b [192.0.2.1]) by c with ESMTPS id d for <e@f>; ",
      "Date: ",
      "X-Ad: yes",
    ],
    ...[
      "List-Unsubscribe: <https://a.example/u>",
      "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
      "Precedence: bulk",
    ],
    ...[
      "Authentication-Results: relay.example.net; spf=pass",
      "Sender: ",
      "\r\n\r\n",
      "\r\n ",
      "\r\n\t",
      ": ",
      ":",
      "=?utf-8?B?QUQ=?=",
    ],
    ...[
      "Sun, 22 Nov 2026 12:00:00 +0000",
      "(a (b) c)",
      "<a@b.example>",
      '"a \\" b" <c@d>',
      "a@b, c@d;",
      "Group: a@b;",
      "広告",
      "\xb9\xe3\xb8\xe6",
    ],
  ],
  open: () => ({
    run(input) {
      const block = withinBounds(input);
      const parsed = Headers.parse(block);
      let end = 0;
      for (const field of parsed.fields) {
        hold(
          field.start >= end && field.end > field.start && field.end <= block.length,
          "a field outside of its block",
        );
        hold(/^[\x21-\x39\x3b-\x7e]+$/.test(field.name), "a field's name that is none");
        end = field.end;
      }
      for (const value of parsed.all("received")) parseReceived(value);
      for (const value of parsed.all("date")) readMailDate(value);
      for (const name of ["from", "sender", "to", "cc", "reply-to"]) mailboxesIn(parsed, name);
      claimedResults(parsed, "relay.example.net");
      declaredTopics(parsed);
      signsOf({ session: sessionOf(), headers: parsed }, PACKS);
      checkEdits(block, parsed);
    },
  }),
};

/** Fields that were to go are gone, the one that came is there, and every other byte stands where it stood. */
function checkEdits(block: Buffer, { fields }: Headers): void {
  const going = fields.filter((_, index) => index % 3 === 1).slice(0, 50);
  const edits: HeaderEdit[] = [ADDED, ...going.map((field) => ({ kind: "remove", field }) as const)];
  const changed = editHeader(block, edits);
  const rest = Buffer.concat(
    [...going, { start: block.length, end: block.length }].map(({ start }, index) =>
      block.subarray(index === 0 ? 0 : going[index - 1]?.end, start),
    ),
  );
  hold(changed.block.equals(rest), "an edit touched what it was not about");
  hold(changed.fields.length === going.length, "an edit is missing");
  hold(Headers.parse(changed.added).first("x-ours") === "one two", "what was added cannot be read");
}
