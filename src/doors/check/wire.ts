/**
 * A mail from a file as it would come off the wire: through the same reader, with the same bounds, as the text after DATA.
 * Only one thing is mended: files on disk often end their lines in LF alone, and a client would send CRLF.
 */
import type { Content } from "../../mail/content.ts";
import { type ContentBounds, createContentWriter } from "../content-writer.ts";
import { type DataBounds, DataReader, type Defect } from "../smtp/data-reader.ts";

const CR = 13;
const LF = 10;
const DOT = Buffer.from(".");
const CRLF = Buffer.from("\r\n");

export interface FileMail {
  /** Dispose of it. Absent when the door would refuse the mail as it stands. */
  readonly content?: Content;
  readonly defect?: Defect;
  /** Lines that ended in LF alone and were read as if they had ended in CRLF. */
  readonly mendedLines: number;
}

/** @throws Unavailable("disk") when a large mail cannot be kept */
export async function readFileMail(
  pieces: AsyncIterable<Buffer>,
  bounds: DataBounds & ContentBounds,
): Promise<FileMail> {
  const writer = createContentWriter(bounds);
  let full: Promise<void> | undefined;
  const reader = new DataReader(bounds, (slice) => {
    full = writer.write(slice) ?? full;
  });
  const wire = createWire();
  const feed = async (slices: readonly Buffer[]): Promise<void> => {
    reader.feed(Buffer.concat(slices));
    await full;
    full = undefined;
  };
  try {
    for await (const piece of pieces) await feed(wire.take(piece));
    await feed(wire.end());
  } catch (error) {
    await writer.discard();
    throw error;
  }
  const mendedLines = wire.mendedLines();
  if (!reader.defect) return { content: await writer.finish(), mendedLines };
  await writer.discard();
  return { defect: reader.defect, mendedLines };
}

/** Ends lines in CRLF, stuffs dots (RFC 5321 4.5.2) and puts the final dot. */
function createWire() {
  let mended = 0;
  let lineStart = true;
  let lastByte = LF;

  /** One line, or the part of one that a piece ends in. */
  function takeLine(line: Buffer): Buffer[] {
    const stuffed = lineStart && line[0] === DOT[0] ? [DOT] : [];
    const ended = line.at(-1) === LF;
    const before = line.length > 1 ? line.at(-2) : lastByte;
    const alone = ended && (before !== CR || (line.length === 1 && lineStart));
    lineStart = ended;
    lastByte = line.at(-1) ?? lastByte;
    if (!alone) return [...stuffed, line];
    mended += 1;
    return [...stuffed, line.subarray(0, -1), CRLF];
  }
  return {
    take(piece: Buffer): Buffer[] {
      const slices: Buffer[] = [];
      let from = 0;
      while (from < piece.length) {
        const lf = piece.indexOf(LF, from);
        const to = lf < 0 ? piece.length : lf + 1;
        slices.push(...takeLine(piece.subarray(from, to)));
        from = to;
      }
      return slices;
    },
    end: (): Buffer[] => [...(lineStart ? [] : [CRLF]), DOT, CRLF],
    mendedLines: () => mended,
  };
}
