import type { Reply } from "../../mail/replies.ts";

/** One reply of the next hop as it came: the texts of its lines without the codes in front. */
export interface ServerReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** RFC 5321 4.5.3.1.5 allows 512 octets a line; real servers run over, none reaches this. */
const LINE_BYTES_MAX = 2_048;
/** All lines of one reply together: a long EHLO answer is 1 KB. */
const REPLY_BYTES_MAX = 65_536;
/** What our own client is shown of one reply: lines, and octets of each. */
const RELAYED_LINES_MAX = 10;
const RELAYED_LINE_MAX = 480;

const REPLY_LINE = /^([2-5][0-9][0-9])(?:([ -])(.*))?$/s;
const ENHANCED = /^([245])\.[0-9]{1,3}\.[0-9]{1,3}(?: |$)/;

/** What came is no SMTP reply. */
export class Garbled extends Error {
  override readonly name = "Garbled";
}

/**
 * Reads server replies (RFC 5321 4.2) from pieces cut at any byte. Memory is bounded: a line, or a reply, that grows
 * past the limits is garbage, and so is a multi-line reply that changes its code on the way.
 */
export class ReplyReader {
  #rest = "";
  #lines: string[] = [];
  #code = 0;
  #bytes = 0;

  /** Nothing half-read is left. */
  get isIdle(): boolean {
    return this.#rest === "" && this.#lines.length === 0;
  }

  /**
   * @returns the replies this piece completed, in order
   * @throws Garbled
   */
  push(piece: Buffer): ServerReply[] {
    const text = this.#rest + piece.toString("latin1");
    const replies: ServerReply[] = [];
    let at = 0;
    for (let lf = text.indexOf("\n"); lf >= 0; lf = text.indexOf("\n", at)) {
      const reply = this.#line(text.slice(at, text.charCodeAt(lf - 1) === 13 ? lf - 1 : lf));
      if (reply) replies.push(reply);
      at = lf + 1;
    }
    this.#rest = at === 0 ? text : text.slice(at);
    if (this.#rest.length > LINE_BYTES_MAX) throw new Garbled("a reply line has no end");
    return replies;
  }

  #line(line: string): ServerReply | undefined {
    this.#bytes += line.length;
    if (line.length > LINE_BYTES_MAX || this.#bytes > REPLY_BYTES_MAX) throw new Garbled("a reply is too long");
    const parts = REPLY_LINE.exec(line);
    if (!parts) throw new Garbled("a line is no SMTP reply");
    const code = Number(parts[1]);
    if (this.#lines.length > 0 && code !== this.#code) throw new Garbled("a reply changes its code");
    this.#code = code;
    this.#lines.push(parts[3] ?? "");
    if (parts[2] === "-") return undefined;
    const reply = { code, lines: this.#lines };
    this.#lines = [];
    this.#bytes = 0;
    return reply;
  }
}

/**
 * A reply in the form our own client may hear: printable ASCII, bounded, always with an enhanced code (RFC 2034), which
 * is X.0.0 where the server gave none or one of another class.
 *
 * @param reply 2xx, 4xx or 5xx
 */
export function relayed({ code, lines }: ServerReply): Reply {
  const kind = Math.floor(code / 100);
  const given = ENHANCED.exec(lines[0] ?? "");
  return {
    code,
    enhanced: given?.[1] === String(kind) ? given[0].trimEnd() : `${kind}.0.0`,
    lines: lines.slice(0, RELAYED_LINES_MAX).map(printable),
  };
}

const printable = (line: string): string =>
  line
    .replace(ENHANCED, "")
    .replace(/[^\x20-\x7e]+/g, "?")
    .slice(0, RELAYED_LINE_MAX);
