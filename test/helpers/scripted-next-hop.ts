import type { NextHop, Outcome, Parcel } from "../../src/delivery/next-hop.ts";
import type { Reply } from "../../src/mail/replies.ts";

/** What the next hop does at a point: answers, or fails. */
export type Act = Reply | Error;

export interface NextHopScript {
  /** By recipient; everybody else is accepted. */
  readonly rcpt?: Readonly<Record<string, Act>>;
  /** At the final dot: one answer for the mail, or one for each recipient. */
  readonly end?: Act | readonly Reply[];
  /** Before it waits for `ready`. */
  readonly beforeReady?: Error;
  /** Has these besides, as a milter does. */
  readonly canDrop?: boolean;
  readonly canHold?: boolean;
  /** Answers for each recipient apart, as LMTP does. */
  readonly answersEach?: boolean;
}

export interface ScriptedNextHop extends NextHop {
  readonly received: {
    readonly recipients: readonly string[];
    readonly text: string;
    readonly changes: Parcel["changes"];
  }[];
}

export const said = (code: number, enhanced: string, ...lines: readonly string[]): Reply => ({ code, enhanced, lines });

const orThrow = <T>(act: T | Error): T => {
  if (act instanceof Error) throw act;
  return act;
};

/** A next hop that does as the script says, and writes down in `events` what it was asked. */
export function scriptedNextHop(events: string[], script: NextHopScript = {}): ScriptedNextHop {
  const received: ScriptedNextHop["received"] = [];
  const begin = () => {
    const recipients: string[] = [];
    let over = false;
    return {
      answersEach: script.answersEach ?? false,
      async rcpt({ address }: { address: { text: string } }): Promise<Reply> {
        events.push(`next hop: rcpt ${address.text}`);
        const reply = orThrow(script.rcpt?.[address.text] ?? said(250, "2.1.5", "recipient ok"));
        if (reply.code < 300) recipients.push(address.text);
        return reply;
      },
      async data(parcel: Parcel, ready: Promise<unknown>): Promise<Outcome> {
        events.push("next hop: data");
        over = true;
        ready.catch(() => {});
        if (script.beforeReady) throw script.beforeReady;
        const text = await textOf(parcel);
        await ready;
        events.push("next hop: final dot");
        const end = orThrow(script.end ?? said(250, "2.0.0", "queued as 7"));
        received.push({ recipients: [...recipients], text, changes: parcel.changes });
        return { replies: Array.isArray(end) ? end : [end as Reply], nextHopIp: "192.0.2.99" };
      },
      abort() {
        if (!over) events.push("next hop: abort");
        over = true;
      },
      ...(script.canDrop && {
        drop: ({ address }: { address: { text: string } }) => {
          events.push(`next hop: drop ${address.text}`);
          recipients.splice(recipients.indexOf(address.text), 1);
        },
      }),
      ...(script.canHold && { hold: (reason: string) => void events.push(`next hop: hold ${reason.split(" ")[0]}`) }),
    };
  };
  return { name: "scripted:", received, begin, ping: async () => {}, close: async () => {} };
}

async function textOf(parcel: Parcel): Promise<string> {
  const pieces = [parcel.front];
  for await (const piece of parcel.read()) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}
