import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame, type Frame, FrameDecoder, FrameError, uint32 } from "../../../src/doors/milter/frames.ts";

const MAX = 1_048_576;

function decodeAll(chunks: readonly Buffer[], bytesMax = MAX): Frame[] {
  const decoder = new FrameDecoder(bytesMax);
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(frame);
  }
  return frames;
}

/** Cuts at the places given, each a fraction of the whole. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

const frameArb = fc.record({ command: fc.integer({ min: 0, max: 255 }), payload: fc.uint8Array({ maxLength: 200 }) });

describe("the frame decoder", () => {
  it("reads a frame of a command alone", () => {
    expect(decodeAll([Buffer.from([0, 0, 0, 1, 0x51])])).toEqual([{ command: 0x51, payload: Buffer.alloc(0) }]);
  });

  it("gives the same frames wherever the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(frameArb, { maxLength: 12 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        (wanted, places) => {
          const bytes = Buffer.concat(wanted.map(({ command, payload }) => encodeFrame(command, Buffer.from(payload))));
          const read = decodeAll(cut(bytes, places));
          expect(read.map(({ command, payload }) => ({ command, payload: new Uint8Array(payload) }))).toEqual(wanted);
        },
      ),
    );
  });

  it("reads frames that come byte by byte", () => {
    const bytes = Buffer.concat([
      encodeFrame(0x4c, "Subject\0 hello\0"),
      encodeFrame(0x4e),
      encodeFrame(0x42, "x".repeat(300)),
    ]);
    const frames = decodeAll([...bytes].map((byte) => Buffer.from([byte])));
    expect(frames.map((frame) => frame.payload.length)).toEqual([15, 0, 300]);
  });

  it("leaves a frame given out to its receiver, whatever comes after it", () => {
    const texts = ["a long one, put together from pieces", "a shorter one", "short", "then a longer one once more"];
    const bytes = Buffer.concat(texts.map((text) => encodeFrame(0x42, text)));
    const frames = decodeAll([...bytes].map((byte) => Buffer.from([byte])));
    expect(frames.map((frame) => frame.payload.toString())).toEqual(texts);
  });

  it("gives out a frame inside one chunk without copying it", () => {
    const chunk = encodeFrame(0x42, "body");
    const [frame] = decodeAll([chunk]);
    chunk[5] = "B".charCodeAt(0);
    expect(frame?.payload.toString()).toBe("Body");
  });

  it("puts a frame together from many chunks in linear time", () => {
    const whole = encodeFrame(0x42, Buffer.alloc(MAX - 1, "z"));
    const chunks = cut(
      whole,
      Array.from({ length: 4_000 }, (_, i) => i / 4_000),
    );
    const started = performance.now();
    const [frame] = decodeAll(chunks);
    expect(frame?.payload.equals(Buffer.alloc(MAX - 1, "z"))).toBe(true);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it("holds no more than what came, and sets little aside for a mere claim", () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 200 }, () => {
      const decoder = new FrameDecoder(MAX);
      decoder.push(Buffer.concat([uint32(MAX), Buffer.from("Bxyz")]));
      expect(decoder.next()).toBeUndefined();
      return decoder;
    });
    expect(decoders.map((decoder) => decoder.heldBytes)).toEqual(decoders.map(() => 8));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 64 * 1024);
  });

  it.each([
    ["a length of 0", uint32(0)],
    ["a length above the bound", uint32(1_025)],
    ["the largest length there is", uint32(0xffff_ffff)],
  ])("breaks off at %s, for good", (_, bytes) => {
    const decoder = new FrameDecoder(1_024);
    decoder.push(Buffer.concat([bytes, encodeFrame(0x51)]));
    expect(() => decoder.next()).toThrow(FrameError);
    decoder.push(encodeFrame(0x51));
    expect(() => decoder.next()).toThrow(FrameError);
  });

  it("takes a frame of exactly the bound", () => {
    expect(decodeAll([encodeFrame(0x42, Buffer.alloc(1_023))], 1_024)).toHaveLength(1);
  });

  it("survives any bytes: frames, nothing yet, or a FrameError", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const decoder = new FrameDecoder(64);
        let given = 0;
        try {
          for (const chunk of chunks) {
            decoder.push(Buffer.from(chunk));
            for (let frame = decoder.next(); frame; frame = decoder.next()) given += 5 + frame.payload.length;
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
          return;
        }
        const pushed = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
        expect(given + decoder.heldBytes).toBe(pushed);
      }),
    );
  });
});

describe("the frame encoder", () => {
  it("writes length, command and parts", () => {
    expect(encodeFrame(0x6d, uint32(2), "Subject\0", Buffer.from("né\0"))).toEqual(
      Buffer.from("\0\0\0\x11m\0\0\0\x02Subject\0n\xc3\xa9\0", "latin1"),
    );
  });

  it("counts bytes, not characters", () => {
    expect(encodeFrame(0x2b, "<müller@example.com>\0").readUInt32BE()).toBe(1 + 22);
  });
});
