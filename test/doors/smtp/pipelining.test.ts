import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EHLO, letter, MAIL, RCPT } from "../../helpers/letters-now.ts";
import { sharedService } from "../../helpers/service.ts";
import { dotted, openTalk } from "../../helpers/smtp-talk.ts";

const TEXT = dotted(letter("hello\n.dot\n")).toString();
/** A whole session: refusals, two mails, a reset, and the end. */
const SESSION = [
  EHLO,
  "NOOP",
  MAIL,
  "RCPT TO:<x@other.example>",
  RCPT,
  "DATA",
  TEXT.slice(0, -2),
  "MAIL FROM:<ann@example.com>",
  MAIL,
  RCPT,
  "RSET",
  "UNKNOWN",
  MAIL,
  "RCPT TO:<ann@example.com> BAD=1",
  RCPT,
  "DATA",
  TEXT.slice(0, -2),
  "QUIT",
].join("\r\n");
const bytes = Buffer.from(`${SESSION}\r\n`);

/** Replies without the ids in them. */
const plain = (heard: string): string => heard.replace(/\b[0-9A-Z]{23}\b/g, "ID");

/** Sends the session cut at these places, each piece in a packet of its own. */
async function session(port: number, cuts: readonly number[]): Promise<string> {
  const talk = await openTalk(port);
  let from = 0;
  for (const cut of [...new Set(cuts)].sort((a, b) => a - b)) {
    talk.send(bytes.subarray(from, cut));
    from = cut;
    // The next turn of the event loop: the socket has written, the server may read a part.
    await new Promise((resolve) => setImmediate(resolve));
  }
  talk.send(bytes.subarray(from));
  return plain(await talk.rest());
}

const service = sharedService({ limits: { connectionsPerIpMax: 1000, commandsWithoutMailMax: 1000 } });

describe("commands sent in one go", () => {
  it("are answered one by one, in order", async () => {
    const before = service().mails().length;
    const codes = (await session(service().smtp, [])).match(/^\d{3}(?= )/gm);
    expect(codes?.join(" ")).toBe("250 250 250 550 250 354 250 550 250 250 250 500 250 555 250 354 250 221");
    expect(service().mails().length - before).toBe(2);
  });

  it("in whatever pieces they come: same replies, same mails", async () => {
    const expected = await session(service().smtp, []);
    const before = service().mails().length;
    let sessions = 0;
    const places = fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => {
        sessions += 1;
        expect(await session(service().smtp, cuts)).toBe(expected);
      }),
      { numRuns: 25, interruptAfterTimeLimit: 8000 },
    );
    expect(service().mails().length - before).toBe(2 * sessions);
  });

  it("byte by byte", async () => {
    const each = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
    expect(await session(service().smtp, each)).toBe(await session(service().smtp, []));
  });

  it("five hundred at once: all are answered", async () => {
    const talk = await openTalk(service().smtp);
    talk.send(`${EHLO}\r\n${"NOOP\r\n".repeat(500)}QUIT\r\n`);
    expect((await talk.rest()).match(/^250 2\.0\.0 OK/gm)).toHaveLength(500);
  });
});
