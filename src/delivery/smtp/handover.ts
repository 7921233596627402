import { Unavailable } from "../../kit/trouble.ts";
import { isPositive, type Reply } from "../../mail/replies.ts";
import type { Recipient, Sender, Session } from "../../mail/views.ts";
import type { Handover, Outcome, Parcel } from "../next-hop.ts";
import { mailCommand, rcptCommand } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Left, Server } from "./greet.ts";
import { countdown, type Pool } from "./pool.ts";
import { relayed, type ServerReply } from "./replies-in.ts";
import { sendMail } from "./send.ts";
import { xforwardLines } from "./xforward.ts";

export interface Way {
  readonly pool: Pool;
  readonly server: Server;
  readonly timeoutMs: number;
}

export interface Letter {
  readonly session: Session;
  readonly sender: Sender;
  readonly mailId: string;
}

/**
 * One mail on one connection. The connection is taken at the first recipient and given back when the server has answered
 * the mail, refused its sender, or forgotten it (RSET); in any other case it is ended, and with it the mail.
 */
export class SmtpHandover implements Handover {
  readonly #way: Way;
  readonly #letter: Letter;
  #connection: Connection | undefined;
  /** The server has heard a MAIL that it has not refused. */
  #isBegun = false;
  #isOver = false;
  #isAsking = false;
  #accepted = 0;
  #refusal: Reply | undefined;
  #trouble: unknown;

  constructor(way: Way, letter: Letter) {
    this.#way = way;
    this.#letter = letter;
  }

  get answersEach(): boolean {
    return this.#way.server.lmtp;
  }

  async rcpt(recipient: Recipient): Promise<Reply> {
    if (this.#isOver || this.#isAsking) throw new Error("rcpt() after the end of a handover, or twice at a time");
    if (this.#trouble) throw this.#trouble;
    if (this.#refusal) return this.#refusal;
    this.#isAsking = true;
    try {
      const left = countdown(this.#way.timeoutMs);
      const reply = this.#isBegun ? await this.#another(recipient, left) : await this.#first(recipient, left);
      if (isPositive(reply)) this.#accepted += 1;
      return reply;
    } catch (error) {
      this.#trouble = error;
      throw error;
    } finally {
      this.#isAsking = false;
    }
  }

  async data(parcel: Parcel, ready: Promise<unknown>): Promise<Outcome> {
    ready.catch(() => {});
    const connection = this.#connection;
    if (this.#trouble) throw this.#trouble;
    if (this.#isOver || !connection || this.#accepted === 0) throw new Error("data() without an accepted recipient");
    this.#isOver = true;
    const nextHopIp = connection.remoteIp;
    const replies = await this.#deliver(connection, parcel, ready);
    return { replies, ...(nextHopIp ? { nextHopIp } : {}) };
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isAsking) this.#connection?.fail(this.#says("given up"));
    else this.#giveBack();
  }

  /** A kept connection may have died unnoticed: as long as the server said nothing to this mail, one more try is safe. */
  async #first(recipient: Recipient, left: Left): Promise<Reply> {
    const connection = this.#way.pool.take() ?? (await this.#way.pool.get(left));
    try {
      return await this.#begin(connection, recipient, left);
    } catch (error) {
      if (!connection.isReused || connection.isAnswered || !connection.isLost || this.#isOver) throw error;
      return this.#begin(await this.#way.pool.get(left), recipient, left);
    }
  }

  async #begin(connection: Connection, recipient: Recipient, left: Left): Promise<Reply> {
    this.#connection = connection;
    const { sender, session, mailId } = this.#letter;
    if (this.#isOver) {
      this.#giveBack();
      throw this.#says("given up");
    }
    const mail = mailCommand(sender, connection);
    const rcpt = rcptCommand(recipient, sender, connection.extensions);
    if (typeof mail !== "string") return this.#refused(mail);
    if (typeof rcpt !== "string") {
      this.#giveBack();
      return rcpt;
    }
    const before = xforwardLines(connection.extensions.xforward, session, mailId);
    this.#isBegun = true;
    const [first, second] = await askAll(connection, [...before, mail, rcpt], left);
    const answer = this.#answer(connection, first);
    return isPositive(answer) ? this.#answer(connection, second) : this.#refused(answer);
  }

  async #another(recipient: Recipient, left: Left): Promise<Reply> {
    const connection = this.#connection;
    if (!connection) throw new Error("a mail begun without a connection");
    const rcpt = rcptCommand(recipient, this.#letter.sender, connection.extensions);
    if (typeof rcpt !== "string") return rcpt;
    return this.#answer(connection, await connection.askOne(rcpt, "RCPT", left()));
  }

  async #deliver(connection: Connection, parcel: Parcel, ready: Promise<unknown>): Promise<Reply[]> {
    const { timeoutMs, server, pool } = this.#way;
    const count = server.lmtp ? this.#accepted : 1;
    try {
      const go = await connection.askOne("DATA", "DATA", timeoutMs);
      if (go.code !== 354) {
        const refusal = this.#answer(connection, go, false);
        pool.reset(connection);
        return Array<Reply>(count).fill(refusal);
      }
      const replies = await sendMail(connection, parcel, { ready, replies: count, timeoutMs });
      const answers = replies.map((reply) => this.#answer(connection, reply));
      connection.mails += 1;
      pool.release(connection);
      return answers;
    } catch (error) {
      // The server has no dot or gave no answer: only the end of the connection tells it that there is no mail.
      connection.fail(this.#says("the mail was not finished"));
      const { unasked } = connection;
      if (unasked && unasked.code >= 400) return Array<Reply>(count).fill(relayed(unasked));
      throw error;
    }
  }

  /** The sender was refused: every recipient hears that, and the connection is free for others. */
  #refused(reply: Reply): Reply {
    this.#refusal = reply;
    this.#giveBack();
    return reply;
  }

  #giveBack(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return;
    if (this.#isBegun) this.#way.pool.reset(connection);
    else this.#way.pool.release(connection);
  }

  /** What our client hears. A 3xx, or after DATA a 2xx, answers nothing that was asked. */
  #answer(connection: Connection, reply: ServerReply | undefined, mayAccept = true): Reply {
    const code = reply?.code ?? 0;
    if (reply && (code >= 400 || (mayAccept && code < 300))) return relayed(reply);
    const trouble = this.#says(`an answer ${code} that fits no question`);
    connection.fail(trouble);
    throw trouble;
  }

  #says(what: string): Unavailable {
    return new Unavailable("next-hop", `${this.#way.server.name}: ${what}`);
  }
}

/**
 * XFORWARD lines, MAIL and RCPT: in one write where the server allows (RFC 2920), else one after the other.
 * @returns the replies to MAIL and, unless MAIL was refused, RCPT. Those to XFORWARD say nothing about the mail
 */
async function askAll(connection: Connection, commands: readonly string[], left: Left): Promise<ServerReply[]> {
  if (connection.extensions.pipelining) {
    const wait = { replies: commands.length, timeoutMs: left() };
    return (await connection.ask(`${commands.join("\r\n")}\r\n`, "MAIL and RCPT", wait)).slice(-2);
  }
  const replies: ServerReply[] = [];
  for (const command of commands) {
    const reply = await connection.askOne(command, command.split(" ", 1)[0] ?? "", left());
    if (!command.startsWith("XFORWARD")) replies.push(reply);
    if (replies.length > 0 && reply.code >= 300) break;
  }
  return replies;
}
