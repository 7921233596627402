const CRLF_DOT = Buffer.from("\r\n.");
const DOT = 46;
const CR = 13;
const LF = 10;

type Tail = "line start" | "after CR" | "in line";

/**
 * Dot-stuffing (RFC 5321 4.5.2) of a mail that comes in pieces cut anywhere. Pieces without a dot at a line start, nearly
 * all, pass without a copy. Relies on the door: no bare CR or LF.
 */
export class DotStuffer {
  #tail: Tail = "line start";

  /** The piece as it goes on the wire; the same Buffer when nothing needed a second dot. */
  push(piece: Buffer): Buffer {
    if (piece.length === 0) return piece;
    const dots = dotsOf(piece, this.#tail);
    this.#tail = tailOf(piece, this.#tail);
    return dots.length === 0 ? piece : doubled(piece, dots);
  }

  /** What ends the mail: the dot on its own line, after a CRLF when the mail lacked one (RFC 5321 4.1.1.4). */
  end(): Buffer {
    return Buffer.from(this.#tail === "line start" ? ".\r\n" : "\r\n.\r\n");
  }
}

/** Offsets of the dots that stand first in their line. */
function dotsOf(piece: Buffer, tail: Tail): number[] {
  const dots: number[] = [];
  if (tail === "line start" && piece[0] === DOT) dots.push(0);
  else if (tail === "after CR" && piece[0] === LF && piece[1] === DOT) dots.push(1);
  for (let at = piece.indexOf(CRLF_DOT); at >= 0; at = piece.indexOf(CRLF_DOT, at + 3)) dots.push(at + 2);
  return dots;
}

function tailOf(piece: Buffer, before: Tail): Tail {
  const last = piece[piece.length - 1];
  if (last === CR) return "after CR";
  const previousIsCr = piece.length > 1 ? piece[piece.length - 2] === CR : before === "after CR";
  return last === LF && previousIsCr ? "line start" : "in line";
}

function doubled(piece: Buffer, dots: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(piece.length + dots.length);
  let from = 0;
  let to = 0;
  for (const dot of dots) {
    to += piece.copy(out, to, from, dot);
    out[to] = DOT;
    to += 1;
    from = dot;
  }
  piece.copy(out, to, from);
  return out;
}
