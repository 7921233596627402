import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createContentWriter } from "../../src/doors/content-writer.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import type { Content } from "../../src/mail/content.ts";
import { tempDir } from "../helpers/temp.ts";

const spillDir = tempDir();
const bounds = { memoryBytesPerMailMax: 1000, headerBytesMax: 200, spillDir };
const HEADER = "From: a@b.example\r\nSubject: x\r\n\r\n";

/** Writes text in pieces of so many bytes. */
async function write(text: string, pieceBytes = 64, more: Partial<typeof bounds> = {}): Promise<Content> {
  const writer = createContentWriter({ ...bounds, ...more });
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += pieceBytes) await writer.write(bytes.subarray(at, at + pieceBytes));
  return writer.finish();
}

async function readAll(content: Content): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of content.read()) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}

describe("the content of a mail", () => {
  it.each([
    ["a small one, in memory", `${HEADER}hello\r\n`],
    ["one of exactly the bound", HEADER + "x".repeat(1000 - HEADER.length)],
    ["a large one, on disk", HEADER + "line\r\n".repeat(50_000)],
    ["one without a body", HEADER],
    ["one without a header", "\r\nbody\r\n"],
    ["one without the empty line", "From: a@b.example\r\n"],
    ["nothing", ""],
  ])("%s comes back as it went in", async (_, text) => {
    const content = await write(text);
    expect(content.bytes).toBe(text.length);
    expect(await readAll(content)).toBe(text);
    expect(await readAll(content), "a second time").toBe(text);
    await content.dispose();
    await content.dispose();
  });

  it("is the same whatever the pieces, in memory and on disk", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 400 }),
        fc.integer({ min: 1, max: 90 }),
        fc.boolean(),
        async (body, size, small) => {
          const text = HEADER + body.replace(/[^\x00-\xff]/g, "?");
          const content = await write(text, size, {
            memoryBytesPerMailMax: small ? 1 : 10_000,
            headerBytesMax: HEADER.length,
          });
          expect(content.header.toString("latin1")).toBe(HEADER);
          expect(await readAll(content)).toBe(text);
          await content.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });

  it("has the whole header at hand also when the body is on disk", async () => {
    const header = `From: a@b.example\r\n${"X-Long: y\r\n".repeat(10)}\r\n`;
    const content = await write(header + "z".repeat(5000), 7);
    expect(content.header.toString()).toBe(header);
    expect(content.whole).toBeUndefined();
    await content.dispose();
  });

  it("has the whole header at hand also where memory is bounded more tightly than headers are", async () => {
    const header = `From: a@b.example\r\n${"X-Padding: y\r\n".repeat(200)}Subject: at the very end\r\n\r\n`;
    const content = await write(`${header}body\r\n`.padEnd(9000, "z"), 64, {
      memoryBytesPerMailMax: 100,
      headerBytesMax: 5000,
    });
    expect(content.header.toString()).toBe(header);
    await content.dispose();
  });

  it("is in one piece while it is in memory", async () => {
    const content = await write(`${HEADER}hello\r\n`);
    expect(content.whole?.toString()).toBe(`${HEADER}hello\r\n`);
    expect(content.header.toString()).toBe(HEADER);
  });
});

describe("a large mail in memory", () => {
  const text = `${HEADER}${"line\r\n".repeat(50_000)}`;
  const bytes = Buffer.from(text);
  const roomy = { ...bounds, memoryBytesPerMailMax: 1_000_000 };

  it("stays in the slices it came in, none of them copied", async () => {
    const writer = createContentWriter(roomy);
    const slices = [bytes.subarray(0, 40_000), bytes.subarray(40_000, 100_000), bytes.subarray(100_000)];
    for (const slice of slices) expect(writer.write(slice)).toBeUndefined();
    const content = await writer.finish();
    const read: Buffer[] = [];
    for await (const piece of content.read()) read.push(piece);
    expect(read.map((piece, index) => piece === slices[index])).toEqual([true, true, true]);
    expect(content.header.toString()).toBe(HEADER);
    expect([content.bytes, content.whole]).toEqual([text.length, undefined]);
  });

  it.each([1, 7, HEADER.length - 1, HEADER.length, 5000])("has its header at hand, in slices of %i", async (size) => {
    const content = await write(text, size, { memoryBytesPerMailMax: 1_000_000 });
    expect(content.header.toString()).toBe(HEADER);
    expect(await readAll(content)).toBe(text);
  });
});

describe("a mail in very small slices", () => {
  it.each([
    ["in memory", 10_000_000],
    ["on disk", 1000],
  ])("is kept %s without a cost for each of them", async (_, memoryBytesPerMailMax) => {
    const writer = createContentWriter({ ...bounds, memoryBytesPerMailMax });
    const slice = Buffer.from(".\r\n");
    const before = performance.now();
    const slices = 100_000;
    for (let count = 0; count < slices; count += 1) await writer.write(Buffer.from(slice));
    const content = await writer.finish();
    expect(performance.now() - before).toBeLessThan(3000);
    expect(await readAll(content)).toBe(".\r\n".repeat(slices));
    await content.dispose();
  });
});

describe("the disk", () => {
  it("never shows a name: what is there goes with its handle", async () => {
    const content = await write("x".repeat(50_000));
    expect(readdirSync(spillDir)).toEqual([]);
    await content.dispose();
    await expect(readAll(content)).rejects.toThrow();
  });

  it("keeps nothing of a mail that was given up", async () => {
    const writer = createContentWriter(bounds);
    await writer.write(Buffer.alloc(5000, 120));
    await writer.discard();
    await writer.discard();
    expect(readdirSync(spillDir)).toEqual([]);
  });

  it("that fails is told at the end, as the world's trouble", async () => {
    const writer = createContentWriter({ ...bounds, spillDir: `${spillDir}/missing` });
    await Promise.resolve(writer.write(Buffer.alloc(5000, 120))).catch(() => {});
    void writer.write(Buffer.alloc(5000, 120))?.catch(() => {});
    const error = await writer.finish().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Unavailable);
    expect(error).toMatchObject({ dependency: "disk" });
    expect(String(error), "no path, no content").not.toMatch(/missing|xxx/);
  });

  it("asks to wait when it is behind, and only then", async () => {
    const writer = createContentWriter(bounds);
    expect(writer.write(Buffer.alloc(100, 120))).toBeUndefined();
    const wait = writer.write(Buffer.alloc(5000, 120));
    expect(wait).toBeInstanceOf(Promise);
    await wait;
    await writer.discard();
  });
});
