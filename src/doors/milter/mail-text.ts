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
  endOfHeaders(): void;
  /** Resolves when the next piece may come. */
  body(chunk: Buffer): Promise<void>;
  /** @throws Unavailable("disk") */
  finish(): Promise<Content>;
  discard(): Promise<void>;
}

export function createMailText(bounds: TextBounds, newWriter: () => ContentWriter): MailText {
  const writer = newWriter();
  const fields: string[] = [];
  let defect: MailText["defect"];
  let headerBytes = 0;
  let bytes = 0;
  let inBody = false;

  const fail = (reply: ReplyId, limit: number): void => {
    defect ??= { reply, detail: String(limit) };
  };
  const put = async (piece: Buffer): Promise<void> => {
    bytes += piece.length;
    if (bytes > bounds.mailBytesMax) fail("mail-too-large", bounds.mailBytesMax);
    if (!defect && piece.includes(0)) defect = { reply: "nul-byte" };
    if (!defect) await writer.write(piece);
  };
  const closeHeaders = (): Promise<void> => {
    if (inBody) return Promise.resolve();
    inBody = true;
    return put(Buffer.from(`${fields.join("")}\r\n`, "latin1"));
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
    endOfHeaders: () => void closeHeaders(),
    async body(chunk) {
      await closeHeaders();
      await put(chunk);
    },
    async finish() {
      await closeHeaders();
      return writer.finish();
    },
    discard: () => writer.discard(),
  };
}
