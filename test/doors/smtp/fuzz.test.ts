import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EHLO, letter, MAIL, RCPT } from "../../helpers/letters-now.ts";
import { sharedService } from "../../helpers/service.ts";
import { openTalk } from "../../helpers/smtp-talk.ts";

const service = sharedService({
  limits: {
    connectionsPerIpMax: 1000,
    commandsWithoutMailMax: 10_000,
    mailBytesMax: 20_000,
    headerBytesMax: 10_000,
    idleTimeoutMs: 2000,
  },
  trustedProxies: [],
});
const text = letter().replace(/\n/g, "\r\n");

/** What SMTP is made of, in any order, and what it is not made of. */
const WORDS = [
  `${EHLO}\r\n`,
  "HELO x\r\n",
  `${MAIL}\r\n`,
  `${MAIL} SIZE=99 BODY=8BITMIME SMTPUTF8\r\n`,
  "MAIL FROM:<>\r\n",
  `${RCPT}\r\n`,
  "RCPT TO:<x@other.example>\r\n",
  "RCPT TO:<@a,@b:x@other.example>\r\n",
  'RCPT TO:<"x@other.example"@example.com>\r\n',
  "RCPT TO:<postmaster>\r\n",
  "DATA\r\n",
  text,
  `${text}.\r\n`,
  ".\r\n",
  "\r\n.\r\n",
  "RSET\r\n",
  "NOOP\r\n",
  "VRFY x\r\n",
  "AUTH PLAIN AHgAeA==\r\n",
  "AUTH LOGIN\r\n",
  "*\r\n",
  "STARTTLS\r\n",
  "XCLIENT ADDR=127.0.0.1 LOGIN=shop\r\n",
  "BDAT 5 LAST\r\nhello",
  "\r\n",
  "\n",
  "\r",
  "\0",
  "..\r\n",
  "From: ann@example.com\r\n",
  `${"x".repeat(3000)}`,
] as const;
const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...WORDS).map((each) => Buffer.from(each)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
);

/** Well-formed replies and nothing else. */
const REPLIES = /^(?:(?:\d{3}-[\x20-\x7e]*\r\n)*\d{3} [\x20-\x7e]*\r\n)*$/;

describe("anything at all, said to the SMTP door", () => {
  it("is answered in replies, relays nothing, and disturbs nobody", { timeout: 30_000 }, async () => {
    const steady = await openTalk(service().smtp);
    await steady.say(EHLO);
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 25 }), async (words) => {
        const talk = await openTalk(service().smtp);
        for (const bytes of words) talk.send(bytes);
        // Whatever state that left it in: the end of a mail, of a login, and of the session.
        talk.send("\r\n.\r\nRSET\r\n*\r\nQUIT\r\n");
        expect(await talk.rest()).toMatch(REPLIES);
        expect((await steady.say("RSET")).code === 421 ? (await openTalk(service().smtp)).greeting.code : 220).toBe(
          220,
        );
      }),
      { numRuns: 120, interruptAfterTimeLimit: 15_000 },
    );
    const delivered = (await service().entries()).filter(({ event }) => event === "handed-over");
    const strangers = delivered.filter(({ recipient = "" }) => !/@example\.com$|^postmaster$/.test(recipient));
    expect(strangers).toEqual([]);
    const last = await openTalk(service().smtp);
    await last.sayAll(EHLO, MAIL, "RCPT TO:<last@example.com>", "DATA");
    expect((await last.data(letter())).code).toBe(250);
  });
});
