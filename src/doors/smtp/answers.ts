/**
 * What one connection has still to say, in the order of its commands (RFC 2920 3.2). An answer whose entry is on its way to disk keeps its
 * place, and what is said after it waits behind: so a client that sends commands ahead is read on, and entries of several of its refusals
 * share one write. Everything that can be said goes out at the end of the loop's turn, in one piece.
 */
import { atEndOfTurn } from "../../kit/turn.ts";
import type { Reply } from "../../mail/replies.ts";

/** Our reply in the place where smtp-server takes an error's text; the connection's `send` writes it out. */
export class Spoken {
  readonly reply: Reply;
  constructor(reply: Reply) {
    this.reply = reply;
  }
}

/** A refusal in the same place that may be spoken when its entry is on disk. The promise never rejects. */
export class Unspoken {
  readonly reply: Promise<Reply>;
  constructor(reply: Promise<Reply>) {
    this.reply = reply;
  }
}

export interface Answers {
  /** Places kept for answers that are not on disk yet. */
  readonly kept: number;
  /** @param lines whole, CRLF ended */
  say(lines: string): void;
  /** Keeps the place of an answer. */
  sayLater(reply: Promise<Reply>): void;
  /** Writes at once what can be said. */
  flush(): void;
  /** Runs when no place is kept any more: at once, or in the order of the calls. */
  whenNoneIsKept(act: () => void): void;
}

const CONTROL = /[\x00-\x1f\x7f]/g;

/** A reply as its lines, CRLF ended. Some words in it are the next hop's: none of them ends a line. */
export function written({ code, enhanced, lines }: Reply): string {
  const last = lines.length - 1;
  return lines
    .map((line, index) => `${code}${index < last ? "-" : " "}${`${enhanced} ${line}`.trim().replace(CONTROL, " ")}\r\n`)
    .join("");
}

/** @param write puts lines on the wire, or leaves them when the connection has gone */
export function createAnswers(write: (lines: string) => void): Answers {
  let ready = "";
  /** In order: places, each with what was said behind it. */
  const places: { own: string | undefined; behind: string }[] = [];
  let whenFree: (() => void)[] = [];

  const flush = (): void => {
    const lines = ready;
    ready = "";
    if (lines !== "") write(lines);
  };
  const add = (lines: string): void => {
    if (ready === "") atEndOfTurn(flush);
    ready += lines;
  };
  const settle = (): void => {
    while (places[0]?.own !== undefined) {
      const { own, behind } = places.shift() as { own: string; behind: string };
      add(own + behind);
    }
    if (places.length > 0 || whenFree.length === 0) return;
    const acts = whenFree;
    whenFree = [];
    for (const act of acts) act();
  };
  return {
    get kept() {
      return places.length;
    },
    say(lines) {
      const last = places.at(-1);
      if (last) last.behind += lines;
      else add(lines);
    },
    sayLater(reply) {
      const place = { own: undefined as string | undefined, behind: "" };
      places.push(place);
      void reply.then((known) => {
        place.own = written(known);
        settle();
      });
    },
    flush,
    whenNoneIsKept(act) {
      if (places.length === 0) act();
      else whenFree.push(act);
    },
  };
}
