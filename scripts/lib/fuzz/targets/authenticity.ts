/**
 * A mail and the whole of DNS behind it, judged: SPF, DKIM, ARC and DMARC together. The input is a zone (a record a line, as zoneOf
 * reads it), an empty line, and the mail.
 */
import { judgeAuthenticity, methodsOf } from "../../../../src/authenticity/judge.ts";
import { writeResults } from "../../../../src/authenticity/results.ts";
import { verdictOf } from "../../../../src/authenticity/verdict.ts";
import { Headers } from "../../../../src/mail/headers.ts";
import { parseAddress } from "../../../../src/mail/path.ts";
import { contentOf } from "../../../../test/helpers/letters.ts";
import { namesOf } from "../../../../test/helpers/names.ts";
import { hold, type Target } from "../target.ts";
import { withinBounds } from "./bounds.ts";

/** SPF for two identities, keys, DMARC's walk up the tree: no mail may ask for more. */
const QUESTIONS_MAX = 400;
/** A little after the seeds were signed. */
const NOW_MS = Date.UTC(2026, 10, 22, 13);
const RECORD = /^([\x21-\x7e]+)[ \t]+(A|AAAA|PTR|CNAME|NS|TXT|MX|silence|SERVFAIL)(?:[ \t]+([\x20-\xff]*))?$/;
const RECORDS_MAX = 200;

export const authenticity: Target = {
  name: "authenticity",
  what: "a mail and the DNS behind it: SPF, DKIM, ARC, DMARC judged together",
  bytesMax: 400_000,
  crlf: true,
  words: [
    ...[
      "stranger.example TXT v=spf1 ",
      "include:stranger.example",
      "redirect=stranger.example",
      "mx:stranger.example",
      "exists:%{i}.stranger.example",
      "ptr:stranger.example",
      "-all\r\n",
    ],
    ...recordWords(),
    ...[
      "DKIM-Signature: ",
      "ARC-Seal: i=1; ",
      "ARC-Message-Signature: i=1; ",
      "ARC-Authentication-Results: i=1; ",
      "From: a@stranger.example\r\n",
      "\r\n\r\n",
      "\r\n",
    ],
    ...[
      "v=DMARC1; p=reject",
      "a=rsa-sha256; c=relaxed/relaxed; d=stranger.example; s=one; h=from; bh=; b=",
      "l=0;",
      "h=from:from:from;",
      "i=@sub.stranger.example;",
      "cv=none;",
      "cv=pass;",
    ],
  ],
  open: () => ({
    async run(input) {
      const text = input.toString("latin1");
      const end = text.search(/\r?\n\r?\n/);
      const zone = (end < 0 ? "" : text.slice(0, end)).split(/\r?\n/).flatMap((line) => {
        const [, name, type, rest = ""] = RECORD.exec(line) ?? [];
        return name ? [`${name} ${type} ${rest}`.trimEnd()] : [];
      });
      const mail = input
        .subarray(Math.max(0, end))
        .toString("latin1")
        .replace(/^(?:\r?\n)+/, "");
      const content = contentOf(Buffer.from(mail, "latin1"));
      const headers = Headers.parse(withinBounds(content.header));
      const asked: string[] = [];
      const found = await judgeAuthenticity(namesOf(zone.slice(0, RECORDS_MAX), asked), {
        ip: "192.0.2.7",
        helo: "mx.stranger.example",
        session: {},
        sender: parseAddress("writer@stranger.example") ?? null,
        headers,
        content,
        hostname: "relay.example.net",
        nowMs: NOW_MS,
        edition: "rfc9989",
        signaturesMax: 8,
        sample: 50,
      });
      hold(asked.length <= QUESTIONS_MAX, `${asked.length} questions for one mail`);
      verdictOf(found, []);
      const line = writeResults("relay.example.net", methodsOf(found));
      hold(!/[\0\r](?!\n)|(?<!\r)\n|\n(?![ \t])/.test(line), "results that break out of their field");
    },
  }),
};

function recordWords(): string[] {
  const types = [
    "A 192.0.2.7",
    "AAAA 2001:db8::7",
    "MX 10 stranger.example",
    "PTR mx.stranger.example",
    "CNAME stranger.example",
    "silence",
    "SERVFAIL",
  ];
  return types.map((type) => `stranger.example ${type}\r\n`);
}
