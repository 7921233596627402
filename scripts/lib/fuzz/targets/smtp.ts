/**
 * The SMTP door, by a real socket: anything at all is answered in replies; a mail that is answered 250 was handed over once, byte for
 * byte, with its entries, and what was handed over was answered 250; nothing goes to strangers' domains.
 *
 * A line `%%` in the input cuts it: what stands before is sent first.
 */
import { type FuzzedHouse, openFuzzedHouse, sayAll } from "../house.ts";
import { hold, type Target } from "../target.ts";

const REPLIES = /^(?:(?:\d{3}-[\x20-\x7e]*\r\n)*\d{3} [\x20-\x7e]*\r\n)*$/;
const TAKEN = /^250 [^\r\n]* id (\S+)\r\n/gm;
/** Whatever state that leaves: the end of a mail, of a login, of the session. */
const END = "\r\n.\r\nRSET\r\n*\r\nQUIT\r\n";
const LIMITS =
  "connectionsPerIpMax: 1000, commandsWithoutMailMax: 500, mailBytesMax: 80000, headerBytesMax: 40000, memoryBytesPerMailMax: 30000, idleTimeoutMs: 10000, drainMs: 1000";

const MAIL = `From: a@stranger.example\r\nDate: ${new Date().toUTCString().replace("GMT", "+0000")}\r\nSubject: x\r\n\r\nhello\r\n`;

export const smtp: Target = {
  name: "smtp",
  what: "SMTP dialogues by socket: replies, one mail for one DATA, no 250 without its entries",
  bytesMax: 100_000,
  crlf: true,
  isAsync: true,
  words: [
    ...[
      "EHLO mx.stranger.example\r\n",
      "HELO x\r\n",
      "MAIL FROM:<a@stranger.example>\r\n",
      "MAIL FROM:<> SIZE=99 BODY=8BITMIME SMTPUTF8\r\n",
      "RCPT TO:<b@example.com>\r\n",
      "RCPT TO:<c@other.example>\r\n",
    ],
    ...[
      "DATA\r\n",
      MAIL,
      ".\r\n",
      "\r\n.\r\n",
      "\r\n.\n",
      "\n.\r\n",
      "\n.\n",
      "\r.\r",
      "\r\n\0.\r\n",
      "\r\n.\r\r\n",
      "RSET\r\n",
      "NOOP\r\n",
      "VRFY b\r\n",
      "QUIT\r\n",
      "%%\r\n",
      "BDAT 5 LAST\r\nhello",
      "STARTTLS\r\n",
    ],
    ...[
      "AUTH PLAIN AGEAYg==\r\n",
      "AUTH LOGIN\r\n",
      "YQ==\r\n",
      "*\r\n",
      "XCLIENT ADDR=192.0.2.1 LOGIN=shop\r\n",
      "XFORWARD ADDR=192.0.2.1\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
      "GET / HTTP/1.1\r\n",
      "Subject: AD\r\n",
      "X-Ad: yes\r\n",
    ],
  ],
  async open() {
    const house = await openFuzzedHouse({
      listener: '{ door: smtp, listen: "127.0.0.1:0", requireTls: false }',
      limits: LIMITS,
      dns: true,
    });
    return { run: (input) => converse(house, input), close: house.close };
  },
};

async function converse(house: FuzzedHouse, input: Buffer): Promise<void> {
  const { sink } = house;
  const before = sink.mails.length;
  const pieces = input
    .toString("latin1")
    .split(/%%\r?\n/)
    .map((piece) => Buffer.from(piece, "latin1"));
  const all = [...pieces, Buffer.from(END)];
  const meant = Buffer.concat(all)
    .toString("latin1")
    .replace(/(^|\r\n)\./g, "$1");
  const heard = (await sayAll(house.port, all)).toString("latin1");
  await house.settled();
  house.noFaults();
  hold(REPLIES.test(heard), "what was said is no reply");
  const ids = [...heard.matchAll(TAKEN)].map(([, id = ""]) => id);
  const begun = heard.split("\r\n").filter((line) => line.startsWith("354 ")).length;
  const mails = sink.mails.splice(before);
  const entries = house.takeEntries();
  hold(new Set(ids).size === ids.length, "two mails with one id");
  hold(mails.length <= begun, "more mails than DATA");
  hold(mails.length === ids.length, `${ids.length} mails answered 250, ${mails.length} handed over`);
  for (const [index, { recipients, content }] of mails.entries()) {
    const text = content.toString("latin1");
    hold(
      recipients.every((address) => /@example\.com$|^postmaster$/i.test(address)),
      "a mail for a stranger's domain",
    );
    hold(!/\r(?!\n)|(?<!\r)\n|\0/.test(text), "a bare newline or NUL went through");
    const id = ids[index] ?? "";
    const front = new RegExp(`^Received: [\\s\\S]*?\\b${id}\\b[\\s\\S]*?\\r\\n(?![ \\t])`).exec(text)?.[0];
    hold(front !== undefined, "a mail without our Received");
    const theirs = text
      .slice(front.length)
      .replace(/^Authentication-Results: relay\.example\.net[\s\S]*?\r\n(?![ \t])/, "");
    const body = theirs.indexOf("\r\n\r\n");
    // Declarations are for us and stay here (X-Ad), so header fields may be missing; nothing else may.
    hold(meant.includes(body < 0 ? "" : theirs.slice(body)), "a body that is not what was sent");
    const lines = theirs.slice(0, Math.max(0, body)).split("\r\n");
    hold(
      lines.every((line) => meant.includes(line)),
      "a header field that nobody sent",
    );
    // What the next hop said may be written a moment later; that the mail may go on was on disk before.
    const received = (entries.get(id) ?? []).filter(({ event }) => event === "received").length;
    hold(received === recipients.length, `${received} entries for ${recipients.length} recipients`);
  }
}
