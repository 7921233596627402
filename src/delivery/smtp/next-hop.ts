import { Unavailable } from "../../kit/trouble.ts";
import type { Sender, Session } from "../../mail/views.ts";
import type { NextHop } from "../next-hop.ts";
import type { Server } from "./greet.ts";
import { SmtpHandover } from "./handover.ts";
import { countdown, Pool, type PoolOptions } from "./pool.ts";

/** A next hop with one more thing to hear than the contract asks for: the mail's id, for the next hop's own log. */
export interface SmtpNextHop extends NextHop {
  begin(session: Session, sender: Sender, mailId: string): SmtpHandover;
}

/**
 * The next hop as a server that speaks SMTP or LMTP (RFC 5321, RFC 2033). Its answers are our answers, so recipients are
 * asked one by one while our own client waits: that, and the price of a mail, is why this is no general mail client.
 */
export function smtpNextHop(server: Server, options: PoolOptions): SmtpNextHop {
  const pool = new Pool(server, options);
  const way = { pool, server, timeoutMs: options.timeoutMs };
  return {
    name: server.name,
    begin: (session, sender, mailId) => new SmtpHandover(way, { session, sender, mailId }),
    ping: () => ping(pool, server.name, options.timeoutMs),
    close: (graceMs) => pool.close(graceMs),
  };
}

async function ping(pool: Pool, name: string, timeoutMs: number): Promise<void> {
  const left = countdown(timeoutMs);
  const kept = pool.take();
  const isKeptGood = kept && (await kept.askOne("NOOP", "NOOP", left()).catch(() => undefined));
  const connection = isKeptGood ? kept : await pool.get(left);
  const reply = isKeptGood || (await connection.askOne("NOOP", "NOOP", left()));
  if (reply.code === 250) return pool.release(connection);
  const trouble = new Unavailable("next-hop", `${name}: NOOP was answered ${reply.code}`);
  connection.fail(trouble);
  throw trouble;
}
