/**
 * A next hop in this process that keeps every mail it takes, byte for byte, so that somebody can count them; and that can be told to
 * refuse, to put off, to fall silent, or to break off. PIPELINING, as ours is spoken to.
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

export interface KeptMail {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** As it was meant: dots unstuffed, without the final dot. */
  readonly content: Buffer;
  readonly atMs: number;
}

/**
 * take: the ordinary thing. refuse, defer: 5xx or 4xx to each RCPT. late-refuse, late-defer: to the final dot. stall: says nothing.
 * break: the connection ends where an answer to the final dot is due, and nothing was kept. lost-answer: it ends there, but the mail was kept.
 */
export type Mood = "take" | "refuse" | "defer" | "late-refuse" | "late-defer" | "stall" | "break" | "lost-answer";

export interface KeepingSink {
  readonly port: number;
  readonly mails: KeptMail[];
  /** The first recipient of each mail that was kept without an answer to its sender. */
  readonly unanswered: string[];
  mood: Mood;
  /** Ends what is connected now, and goes on. */
  hangUp(): void;
  close(): Promise<void>;
}

const END = Buffer.from("\r\n.\r\n");

export async function startKeepingSink(): Promise<KeepingSink> {
  const sockets = new Set<Socket>();
  const mails: KeptMail[] = [];
  const sink = { mails, unanswered: [] as string[], mood: "take" as Mood };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    serve(socket, sink);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return Object.assign(sink, {
    port: address.port,
    hangUp,
    async close() {
      hangUp();
      server.close();
      await once(server, "close");
    },
  });
}

/** One connection. */
function serve(socket: Socket, sink: Pick<KeepingSink, "mails" | "unanswered" | "mood">): void {
  let bytes: Buffer = Buffer.alloc(0);
  let inData = false;
  let sender = "";
  let recipients: string[] = [];
  const say = (line: string): void => {
    if (sink.mood !== "stall") socket.write(`${line}\r\n`);
  };
  const command = (line: string): void => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === "EHLO")
      return say("250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES");
    if (verb === "MAIL") {
      sender = pathOf(line);
      recipients = [];
      return say("250 2.1.0 ok");
    }
    if (verb === "RCPT") {
      if (sink.mood === "refuse") return say("550 5.1.1 nobody here of that name");
      if (sink.mood === "defer") return say("450 4.2.0 not now");
      recipients.push(pathOf(line));
      return say("250 2.1.5 ok");
    }
    if (verb === "DATA") {
      if (recipients.length === 0) return say("503 5.5.1 whom for?");
      inData = true;
      return say("354 go on");
    }
    if (verb === "QUIT") return void socket.end("221 2.0.0 bye\r\n");
    return say("250 2.0.0 ok");
  };
  const ended = (content: Buffer): void => {
    inData = false;
    if (sink.mood === "late-refuse") return say("554 5.7.1 not that");
    if (sink.mood === "late-defer") return say("451 4.3.0 not now");
    if (sink.mood === "break") return void socket.destroy();
    // Whoever falls silent has taken nothing: the mail is still the sender's.
    if (sink.mood === "stall") return;
    sink.mails.push({ sender, recipients: [...recipients], content: unstuffed(content), atMs: Date.now() });
    if (sink.mood === "lost-answer") {
      sink.unanswered.push(recipients[0] ?? "");
      return void socket.destroy();
    }
    say("250 2.0.0 kept");
  };
  const step = (): boolean => {
    if (inData) {
      const end = bytes.subarray(0, 3).equals(END.subarray(2)) ? -2 : bytes.indexOf(END);
      if (end === -1) return false;
      const content = bytes.subarray(0, end + 2);
      bytes = bytes.subarray(end + END.length);
      ended(content);
      return true;
    }
    const end = bytes.indexOf("\r\n");
    if (end < 0) return false;
    const line = bytes.toString("latin1", 0, end);
    bytes = bytes.subarray(end + 2);
    command(line);
    return true;
  };
  let pieces: Buffer[] = [];
  let tail = "";
  socket.on("data", (chunk: Buffer) => {
    pieces.push(chunk);
    // A large mail is put together once, when its end may have come.
    tail = (tail + chunk.toString("latin1")).slice(-END.length);
    if (inData && !tail.endsWith(".\r\n")) return;
    bytes = Buffer.concat([bytes, ...pieces]);
    pieces = [];
    while (!socket.destroyed && step());
  });
  say("220 sink.example ESMTP");
}

const pathOf = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? "";

const unstuffed = (content: Buffer): Buffer =>
  content.includes("\r\n.") || content[0] === 46
    ? Buffer.from(
        content
          .toString("latin1")
          .replace(/^\./, "")
          .replace(/\r\n\./g, "\r\n"),
        "latin1",
      )
    : content;
