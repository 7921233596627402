/**
 * What a server says that mail is handed to, by a real socket: as the next hop whose answers are ours, and as one that the queue calls. In the
 * input a line is a line of the server's; `%%` waits until we have said something more, `LMTP` in front makes it an LMTP server. When all is
 * said it hangs up.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server as Listening } from "node:net";
import { createSecureContext } from "node:tls";
import { openNextHop } from "../../../../src/delivery/open.ts";
import { parcelOf } from "../../../../src/delivery/parcel.ts";
import { type Meaning, meaningOf, meaningOfReply, meaningOfTrouble } from "../../../../src/delivery/queue/classify.ts";
import { Broken } from "../../../../src/delivery/smtp/broken.ts";
import { Connection } from "../../../../src/delivery/smtp/connection.ts";
import { greet } from "../../../../src/delivery/smtp/greet.ts";
import { isDelivered, transact } from "../../../../src/delivery/smtp/transact.ts";
import { Unavailable } from "../../../../src/kit/trouble.ts";
import { isPositive, type Reply } from "../../../../src/mail/replies.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "../../../../test/helpers/letters.ts";
import { hold, type Target } from "../target.ts";

/** Many inputs make a server that says too little. */
const TIMEOUT_MS = 60;
const LINE_MAX = 480;
const LINES_MAX = 10;
const MAIL = contentOf("From: a@example.com\r\n\r\n.x\r\n");
const DOT = Buffer.from("\r\n.\r\n");
const RECIPIENTS = ["b@example.com", "c@example.com"].map((each) => recipientOf(each));

export const answers: Target = {
  name: "answers",
  what: "answers of servers that mail is handed to, by socket: forms, order, no mail delivered that was not sent",
  bytesMax: 80_000,
  isAsync: true,
  words: [
    ...[
      "220 mx.example ESMTP",
      "250-mx.example",
      "250-PIPELINING",
      "250-SIZE 1000",
      "250-8BITMIME",
      "250-SMTPUTF8",
      "250-DSN",
    ],
    ...[
      "250-XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT",
      "250-AUTH PLAIN LOGIN",
      "250-REQUIRETLS",
      "250 STARTTLS",
      "250 ok",
    ],
    ...[
      "250 2.1.0 ok",
      "250 2.1.5 ok",
      "251 2.1.5 forwards",
      "252 2.5.0 may be",
      "354 go ahead",
      "250 2.0.0 queued as 1",
      "221 2.0.0 bye",
    ],
    ...[
      "421 4.7.0 busy",
      "450 4.2.1 greylisted",
      "451 4.3.0 later",
      "452 4.3.1 full",
      "500 5.5.1 what",
      "503 5.5.1 order",
      "521 5.3.2 no mail",
    ],
    ...[
      "530 5.7.0 STARTTLS first",
      "550 5.1.1 unknown",
      "550-5.7.1 listed",
      "552 5.3.4 large",
      "554 5.7.1 refused",
      "556 5.1.10 null MX",
    ],
    ...["%%", "\n", "\r", "\0", "\xff", "-", "250-", "250", "2", "99", "600 x", "LMTP", " "],
  ],
  async open() {
    const server = await startTeller();
    const hop = (scheme: string): string => `${scheme}://127.0.0.1:${server.port}`;
    const options = {
      hostname: "relay.example",
      timeoutMs: TIMEOUT_MS,
      connectionsMax: 4,
      idleMs: 1_000,
      mailsPerConnectionMax: 10,
      tls: "never",
    } as const;
    return {
      async run(input) {
        const text = input.toString("latin1");
        const lmtp = text.startsWith("LMTP");
        const pieces = piecesOf(lmtp ? text.slice(text.indexOf("\n") + 1 || text.length) : text);
        await asNextHop(hop(lmtp ? "lmtp" : "smtp"), options, server.tell(pieces));
        await asQueue({ lmtp, port: server.port }, server.tell(pieces));
      },
      close: server.close,
    };
  },
};

const piecesOf = (text: string): Buffer[] =>
  text.split(/^%%\n?/m).map((piece) => Buffer.from(piece.replace(/\n/g, "\r\n"), "latin1"));

/** What a server has heard on all connections since it was told what to say. */
type Heard = () => Buffer;

async function asNextHop(to: string, options: Parameters<typeof openNextHop>[1], heard: Heard): Promise<void> {
  const hop = openNextHop(to, options);
  try {
    const handover = hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
    const toRcpts: Reply[] = [];
    for (const each of RECIPIENTS) toRcpts.push(await handover.rcpt(each));
    toRcpts.forEach(wellFormed);
    const taken = toRcpts.filter(isPositive).length;
    if (taken === 0) return handover.abort();
    const { replies } = await handover.data(parcelOf(MAIL, Buffer.alloc(0), []), Promise.resolve());
    replies.forEach(wellFormed);
    hold(replies.length === (handover.answersEach ? taken : 1), `${replies.length} answers for ${taken} recipients`);
    if (replies.some(isPositive)) hold(heard().includes(DOT), "a mail counts as handed over whose end was never sent");
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    told(error);
  } finally {
    await hop.close(0);
  }
}

async function asQueue({ lmtp, port }: { lmtp: boolean; port: number }, heard: Heard): Promise<void> {
  const name = "smtp://mx.example";
  const endpoint = { host: "127.0.0.1", port };
  const server = {
    name,
    endpoint,
    lmtp,
    implicitTls: false,
    tls: "never",
    secureContext: createSecureContext(),
    hostname: "relay.example",
  } as const;
  const connection = new Connection(endpoint, name);
  try {
    await greet(connection, server, () => TIMEOUT_MS);
    const parcel = parcelOf(MAIL, Buffer.alloc(0), []);
    const letter = {
      session: sessionOf(),
      sender: senderOf("a@example.com"),
      mailId: "01MAIL",
      recipients: RECIPIENTS,
      parcel,
    };
    const fates = await transact(connection, letter, { lmtp, xforward: true, left: () => TIMEOUT_MS });
    hold(fates.length === RECIPIENTS.length, `${fates.length} fates for ${RECIPIENTS.length} recipients`);
    for (const fate of fates) {
      const meaning = meaningOf(fate);
      known(meaning);
      hold((meaning.kind === "delivered") === isDelivered(fate), "delivered, and not");
      if (isDelivered(fate)) hold(heard().includes(DOT), "a mail counts as delivered whose end was never sent");
    }
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    told(error);
    known(meaningOfTrouble(error));
  } finally {
    connection.fail(new Broken({ name, step: "QUIT" }, "ours", { what: "over" }));
  }
}

/** As our own client hears it, and a bounce shows it. */
function wellFormed(reply: Reply): void {
  hold(/^[245]\d\d$/.test(String(reply.code)), `our client would hear ${reply.code}`);
  hold(reply.enhanced.startsWith(`${Math.floor(reply.code / 100)}.`), `${reply.code} with ${reply.enhanced}`);
  hold(reply.lines.length <= LINES_MAX, "a reply of many lines");
  for (const line of reply.lines)
    hold(/^[\x20-\x7e]*$/.test(line) && line.length <= LINE_MAX, "a line that is no line");
}

function known(meaning: Meaning): void {
  hold(["delivered", "later", "failed"].includes(meaning.kind), `a kind of its own: ${meaning.kind}`);
  wellFormed(meaning.reply);
  // The same words at any other step have a meaning, too.
  for (const step of ["greeting", "EHLO", "MAIL", "RCPT", "DATA"]) {
    hold(meaningOfReply(meaning.reply, step).kind !== "delivered", `delivered at ${step}`);
  }
}

/** For the log: nothing of what the server said. */
function told({ message }: Unavailable): void {
  hold(/^[\x20-\x7e]{1,300}$/.test(message), "the log would have what a server says");
}

interface Teller {
  readonly port: number;
  /** What it says from now on to whoever connects, piece by piece. */
  tell(pieces: readonly Buffer[]): Heard;
  close(): Promise<void>;
}

async function startTeller(): Promise<Teller> {
  let say: readonly Buffer[] = [];
  let heard: Buffer[] = [];
  const server: Listening = createServer((socket) => {
    const left = [...say];
    const next = (): void => {
      const piece = left.shift();
      if (piece) socket.write(piece);
      if (left.length === 0) socket.end();
    };
    socket.on("data", (bytes) => {
      heard.push(bytes);
      next();
    });
    socket.on("error", () => socket.destroy());
    next();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    tell(pieces) {
      say = pieces;
      heard = [];
      return () => Buffer.concat(heard);
    },
    async close() {
      server.close();
      await once(server, "close");
    },
  };
}
