/**
 * The dialogue matrix: every talk through the SMTP door, through Postfix with us as its milter and through Sendmail with us as its
 * milter. Verdicts and ledger have to be the same; where an MTA answers in its own way, the tables below say so and why.
 */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type Mta, type OwnAnswer, openThrough, TALKS, throughMilter } from "../helpers/mta-talks.ts";
import { playTalk } from "../helpers/play-talk.ts";
import { postfixIsHere } from "../helpers/postfix.ts";
import { startPostfixForTalks } from "../helpers/postfix-talks.ts";
import { sendmailIsHere } from "../helpers/sendmail.ts";
import { startSendmailForTalks } from "../helpers/sendmail-talks.ts";
import { openSmtpDoor } from "../helpers/smtp-talks.ts";
import { createMatrix, verdictsOf } from "../helpers/talk-matrix.ts";

const matrix = createMatrix();

const POSTFIX_SAYS: readonly OwnAnswer[] = [
  { talk: "relaying-refused", after: /^CONTENT/, code: 554, reason: "its word for DATA without a valid recipient" },
  { talk: "sender-shapes", after: /FROM:bob@/, code: 250, reason: "takes a path without angle brackets" },
  { talk: "sender-shapes", after: /SRS0/, code: 503, reason: "and so has a mail open already" },
  { talk: "smtputf8-is-not-lent", after: /^RCPT/, code: 501, reason: "refuses the address itself" },
];

const SENDMAIL_SAYS: readonly OwnAnswer[] = [
  { talk: "relaying-refused-in-quotes-and-brackets", after: /TO:<x@/, code: 553, reason: "its word for bad syntax" },
  { talk: "sender-shapes", after: /sender\.\.example/, code: 553, reason: "its word for bad syntax" },
  { talk: "sender-shapes", after: /FROM:bob@/, code: 250, reason: "takes a path without angle brackets" },
  { talk: "sender-shapes", after: /SRS0/, code: 503, reason: "and so has a mail open already" },
];

interface Tested {
  readonly door: string;
  readonly skipName: string;
  readonly here: boolean;
  readonly own: readonly OwnAnswer[];
  readonly start: () => Promise<Mta & { stop(): Promise<void> }>;
}

const MTAS: readonly Tested[] = [
  {
    door: "Postfix + milter",
    skipName: "postfix",
    here: postfixIsHere(),
    own: POSTFIX_SAYS,
    start: startPostfixForTalks,
  },
  {
    door: "Sendmail + milter",
    skipName: "sendmail",
    here: await sendmailIsHere(),
    own: SENDMAIL_SAYS,
    start: startSendmailForTalks,
  },
];

describe("talks through SMTP", () => {
  for (const { name, talk } of TALKS) {
    const reason = talk.skips.get("smtp");
    if (reason !== undefined) {
      matrix.skip(name, "SMTP", reason);
      it.skip(`${name} (not through SMTP: ${reason})`, () => {});
      continue;
    }
    it(`${name}: ${talk.title}`, async () => {
      const opened = await openSmtpDoor(talk);
      await playTalk(talk, opened);
      matrix.note(name, "SMTP", verdictsOf(await opened.entries()));
    });
  }
});

describe.each(MTAS)("talks through $door", ({ door, skipName, here, own, start }) => {
  if (!here) {
    it.skip(`(${skipName} cannot be run here)`, () => {});
    return;
  }
  let mta: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    mta = await start();
  });
  afterAll(() => mta?.stop());

  for (const each of TALKS) {
    const { name, talk } = each;
    const reason = talk.skips.get(skipName);
    if (reason !== undefined) {
      matrix.skip(name, door, reason);
      it.skip(`${name} (not through ${door}: ${reason})`, () => {});
      continue;
    }
    it(`${name}: ${talk.title}`, async () => {
      const opened = await openThrough(mta, talk);
      await playTalk(throughMilter(each, own), opened);
      matrix.note(name, door, verdictsOf(await opened.entries()));
    });
  }
});

afterAll(() => {
  const answers = MTAS.flatMap(({ door, own }) =>
    own.map(({ talk, after, code, reason }) => `- ${talk}, ${door}: ${code} after ${after}: ${reason}`),
  );
  const table = `${[matrix.print(), "", "Answered by the MTA itself:", ...answers].join("\n")}\n`;
  // ./scripts/talks prints it.
  if (process.env.TALK_MATRIX) writeFileSync(process.env.TALK_MATRIX, table);
  else process.stdout.write(`\n${table}`);
});
