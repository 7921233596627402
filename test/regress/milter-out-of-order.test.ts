import { once } from "node:events";
import { duplexPair } from "node:stream";
import { describe, expect, it } from "vitest";
import { SMFIC } from "../../src/doors/milter/constants.ts";
import { encodeFrame, uint32 } from "../../src/doors/milter/frames.ts";
import type { MilterFault } from "../../src/doors/milter/handler.ts";
import { milterSettings } from "../../src/doors/milter/options.ts";
import { serveMilter } from "../../src/doors/milter/protocol.ts";
import { recordingHandler } from "../helpers/milter-handler.ts";

/**
 * 64 KB hold thirteen thousand commands out of order, and each was answered and told to the log in the same turn of the event loop: 150 ms for
 * 6 KB. Found by scripts/fuzz, target milter.
 */
describe("a milter connection that is out of step for good", () => {
  it("is ended after 200 commands out of order, and the log hears no more of them", async () => {
    const [ours, theirs] = duplexPair({ allowHalfOpen: false });
    const faults: MilterFault[] = [];
    serveMilter(ours, () => recordingHandler([]), milterSettings({ onFault: (fault) => void faults.push(fault) }));
    theirs.on("error", () => {}).resume();
    const closed = once(ours, "close");
    const offer = encodeFrame(SMFIC.OPTNEG, uint32(6), uint32(0x1ff), uint32(0x1f_ffff));
    theirs.write(Buffer.concat([offer, ...Array.from({ length: 5_000 }, () => encodeFrame(SMFIC.BODYEOB))]));
    await closed;
    expect(faults).toHaveLength(201);
  });
});
