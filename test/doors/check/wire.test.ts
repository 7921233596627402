import { describe, expect, it } from "vitest";
import { readFileMail } from "../../../src/doors/check/wire.ts";
import { tempDir } from "../../helpers/temp.ts";

const bounds = {
  mailBytesMax: 2_000,
  lineBytesMax: 200,
  headerBytesMax: 1_000,
  headersMax: 20,
  memoryBytesPerMailMax: 1_000,
};

async function* pieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size: number) {
  const { content, ...rest } = await readFileMail(pieces(text, size), { ...bounds, spillDir: tempDir() });
  const parts: Buffer[] = [];
  if (content) for await (const piece of content.read()) parts.push(Buffer.from(piece));
  await content?.dispose();
  return { ...rest, ...(content && { text: Buffer.concat(parts).toString("latin1") }) };
}

describe("a mail from a file", () => {
  it.each<[string, string, object]>([
    ["comes as it is", "A: 1\r\n\r\nx\r\n", { text: "A: 1\r\n\r\nx\r\n", mendedLines: 0 }],
    ["gets CRLF for LF, and the lines are counted", "A: 1\n\nx\n", { text: "A: 1\r\n\r\nx\r\n", mendedLines: 3 }],
    ["may mix both", "A: 1\r\n\nx\r\n", { text: "A: 1\r\n\r\nx\r\n", mendedLines: 1 }],
    ["keeps its dots", "A: 1\r\n\r\n.\r\n..x\r\n.y\r\n", { text: "A: 1\r\n\r\n.\r\n..x\r\n.y\r\n", mendedLines: 0 }],
    ["gets the end of its last line", "A: 1\r\n\r\nx", { text: "A: 1\r\n\r\nx\r\n", mendedLines: 0 }],
    ["may be empty", "", { text: "", mendedLines: 0 }],
    ["may be one line end", "\n", { text: "\r\n", mendedLines: 1 }],
    [
      "is refused for a bare CR, as at the door",
      "A: 1\r\n\r\nx\ry\r\n",
      { defect: { reply: "bare-newline" }, mendedLines: 0 },
    ],
    ["is refused for a NUL, as at the door", "A: 1\r\n\r\n\0\r\n", { defect: { reply: "nul-byte" }, mendedLines: 0 }],
    [
      "is refused for a long line, as at the door",
      `A: 1\r\n\r\n${"x".repeat(201)}\r\n`,
      { defect: { reply: "line-too-long", detail: "200 bytes" }, mendedLines: 0 },
    ],
    [
      "is refused for its size, as at the door",
      `A: 1\r\n\r\n${`${"x".repeat(198)}\r\n`.repeat(11)}`,
      { defect: { reply: "mail-too-large", detail: "2000 bytes" }, mendedLines: 0 },
    ],
    [
      "may be too large for memory",
      `A: 1\r\n\r\n${`${"x".repeat(198)}\r\n`.repeat(7)}`,
      { text: `A: 1\r\n\r\n${`${"x".repeat(198)}\r\n`.repeat(7)}`, mendedLines: 0 },
    ],
  ])("%s", async (_, text, expected) => {
    for (const size of [1, 3, 64, 10_000]) expect(await read(text, size)).toEqual(expected);
  });
});
