import type { Content } from "../../mail/content.ts";
import type { ReplyId } from "../../mail/replies.ts";
import type { ContentBounds, ContentWriter } from "../content-writer.ts";

export interface TextBounds extends Omit<ContentBounds, "spillDir"> {
  readonly mailBytesMax: number;
  readonly headersMax: number;
}

/** Puts a mail together again from the pieces in which an MTA tells it. Lines and their ends are the MTA's business. */
export interface MailText {
  readonly defect: { readonly reply: ReplyId; readonly detail?: string } | undefined;
  /** @param value after the colon, leading blank and CRLF folds included, one character a byte */
  header(name: string, value: string): void;
  /** @returns a promise to wait for before the next piece, when the disk is behind; undefined: go on */
  body(chunk: Buffer): Promise<void> | undefined;
  /** @throws Unavailable("disk") */
  finish(): Promise<Content>;
  discard(): Promise<void>;
}

const LF = 10;
const CRLF = Buffer.from("\r\n");

export function createMailText(bounds: TextBounds, writer: ContentWriter): MailText {
  const fields: string[] = [];
  let defect: MailText["defect"];
  let headerBytes = 0;
  let bytes = 0;
  let inBody = false;
  let lastByte = LF;

  const fail = (reply: ReplyId, limit: number): void => {
    defect ??= { reply, detail: String(limit) };
  };
  const put = (piece: Buffer): Promise<void> | undefined => {
    bytes += piece.length;
    lastByte = piece.at(-1) ?? lastByte;
    if (bytes > bounds.mailBytesMax) fail("mail-too-large", bounds.mailBytesMax);
    if (!defect && piece.includes(0)) defect = { reply: "nul-byte" };
    // A disk that fails is told of at the end, once.
    return defect ? undefined : writer.write(piece)?.catch(() => undefined);
  };
  const closeHeaders = (): void => {
    if (inBody) return;
    inBody = true;
    // Never waits: a header block is kept in memory whole.
    void put(Buffer.from(`${fields.splice(0).join("")}\r\n`, "latin1"));
  };
  return {
    get defect() {
      return defect;
    },
    header(name, value) {
      const field = `${name}:${value}\r\n`;
      headerBytes += field.length;
      if (headerBytes > bounds.headerBytesMax) return fail("header-too-large", bounds.headerBytesMax);
      if (fields.push(field) > bounds.headersMax) fail("too-many-headers", bounds.headersMax);
    },
    body(chunk) {
      closeHeaders();
      return put(chunk);
    },
    async finish() {
      closeHeaders();
      if (lastByte !== LF) void put(CRLF);
      return writer.finish();
    },
    discard: () => writer.discard(),
  };
}
