import { once } from "node:events";
import { duplexPair } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SMFIC } from "../../../src/doors/milter/constants.ts";
import { encodeFrame, type Frame, FrameDecoder, uint32 } from "../../../src/doors/milter/frames.ts";
import type { MilterHandler } from "../../../src/doors/milter/handler.ts";
import { type MilterOptions, milterSettings } from "../../../src/doors/milter/options.ts";
import { serveMilter } from "../../../src/doors/milter/protocol.ts";
import { recordingHandler } from "../../helpers/milter-handler.ts";

/**
 * Conversations an MTA might hold, and many it never would, against the whole protocol layer. A command is a letter;
 * "boom" in it makes the handler throw, "later" makes it answer by promise.
 */
interface Command {
  readonly letter: string;
  readonly manner: "plain" | "boom" | "later";
}

const OPTNEG = encodeFrame(SMFIC.OPTNEG, uint32(6), uint32(0x1ff), uint32(0x1f_ffff));
const QUIT = encodeFrame(SMFIC.QUIT);
const ANSWERED = "CHMRTLNBEU";

function frameOf({ letter, manner }: Command): Buffer {
  const code = letter.charCodeAt(0);
  if (letter === "C") return encodeFrame(code, `${manner}\x004\x11\x22192.0.2.7\0`);
  if (letter === "L") return encodeFrame(code, `Subject\0 ${manner}\0`);
  if (letter === "D") return encodeFrame(code, `Mi\0${manner}\0`);
  if (letter === "B") return encodeFrame(code, `body ${manner}`);
  if ("HMRU".includes(letter)) return encodeFrame(code, `${manner}\0`);
  return letter === "O" ? OPTNEG : encodeFrame(code);
}

/** Answers by what stands in the command; those without a text by the value given. */
function fuzzHandler(calls: string[], manner: () => Command["manner"]): MilterHandler {
  const answer = (text: string): "continue" | Promise<"continue"> => {
    if (text.includes("boom")) throw new Error("boom");
    return text.includes("later") ? Promise.resolve("continue" as const) : "continue";
  };
  return recordingHandler(calls, {
    connect: ({ hostname }) => answer(hostname),
    helo: answer,
    mail: ([path = ""]) => answer(path),
    rcpt: ([path = ""]) => answer(path),
    data: () => answer(manner()),
    header: (_, value) => answer(value),
    endOfHeaders: () => answer(manner()),
    body: (chunk) => answer(chunk.toString()),
    endOfMessage: () => answer(manner()),
    unknown: answer,
  });
}

interface Outcome {
  readonly replies: readonly Frame[];
  readonly calls: readonly string[];
  readonly most: number;
}

/** Sends the pieces, one by one, and gathers what comes back until the connection is over. */
async function converse(
  pieces: readonly Buffer[],
  manners: readonly Command["manner"][],
  options: MilterOptions,
): Promise<Outcome> {
  const [ours, theirs] = duplexPair({ allowHalfOpen: false });
  const calls: string[] = [];
  const replies: Buffer[] = [];
  let turn = 0;
  let most = 0;
  let open = 0;
  const close = (): void => {
    open -= 1;
  };
  const newHandler = (): MilterHandler => {
    open += 1;
    most = Math.max(most, open);
    const handler = fuzzHandler(calls, () => manners[turn++ % manners.length] ?? "plain");
    return { ...handler, close };
  };
  serveMilter(ours, newHandler, milterSettings(options));
  theirs.on("data", (chunk: Buffer) => replies.push(chunk));
  theirs.on("error", () => {});
  const closed = once(ours, "close");
  for (const piece of pieces) if (!ours.destroyed) theirs.write(piece);
  await closed;
  expect(open).toBe(0);
  const decoder = new FrameDecoder(1 << 20);
  decoder.push(Buffer.concat(replies));
  const frames: Frame[] = [];
  for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(frame);
  expect(decoder.heldBytes).toBe(0);
  return { replies: frames, calls, most };
}

const manner = fc.constantFrom<Command["manner"]>("plain", "plain", "plain", "later", "boom");
const calm = fc.constantFrom<Command["manner"]>("plain", "later");
const command = (letters: string, manners = manner): fc.Arbitrary<Command> =>
  fc.record({ letter: fc.constantFrom(...letters), manner: manners });
const spelled = (text: string, manners: fc.Arbitrary<Command["manner"]>): fc.Arbitrary<Command[]> =>
  fc.tuple(...[...text].map((letter) => command(letter, manners)));
/** A right mail, a mail with a fault in it, or a few commands of no plan. */
const passage = fc.oneof(
  spelled("MRTLLNBE", calm),
  spelled("DMRRTLNBBE", calm),
  spelled("MRTNE", manner),
  spelled("MRULNBE", manner),
  spelled("MRA", calm),
  spelled("KCH", calm),
  fc.array(command("HMRTLNBEUAD"), { maxLength: 4 }),
);
const rare = fc.oneof(
  { weight: 9, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(command("COKQ"), { maxLength: 1 }) },
);
const conversation = fc
  .tuple(spelled("CH", calm), fc.array(fc.tuple(passage, rare), { maxLength: 8 }))
  .map(([greeting, passages]) => [...greeting, ...passages.flat(2)]);

/** What the letters allow, said once more and differently: as a pattern over the letters since the mail began. */
function mayAccept(before: readonly Command[]): boolean {
  const since = before.slice(before.findLastIndex(({ letter }) => letter === "K") + 1);
  const sessionFault = since.some(({ letter, manner }) => manner === "boom" && "CHU".includes(letter));
  const connected = since.some(({ letter }) => letter === "C");
  const mail = since.slice(since.findLastIndex(({ letter }) => letter === "M"));
  const letters = mail
    .map(({ letter }) => letter)
    .join("")
    .replace(/[DU]/g, "");
  return connected && !sessionFault && /^MR+T?L*NB*E$/.test(letters) && !mail.some(({ manner }) => manner === "boom");
}

/** Where the connection ends by the protocol: at QUIT, a second negotiation, or CONNECT in the middle of a session. */
function endOf(commands: readonly Command[]): number {
  let connected = false;
  for (const [i, { letter }] of commands.entries()) {
    if (letter === "Q" || letter === "O" || (letter === "C" && connected)) return i;
    if (letter === "C") connected = true;
    if (letter === "K") connected = false;
  }
  return commands.length;
}

const letterOf = (frame: Frame): string => String.fromCharCode(frame.command);

describe("any conversation", () => {
  it("has one answer where one is due, and an accept only for a mail without a fault, in order", async () => {
    await fc.assert(
      fc.asyncProperty(conversation, fc.boolean(), async (commands, quiet) => {
        const heard = commands.slice(0, endOf(commands));
        const silent = quiet ? "LNB" : "";
        // DATA, end of headers and end of mail carry no text: their manners are told in the order they are asked for.
        const plain = commands.map((one) => ("TNE".includes(one.letter) ? { ...one, manner: "plain" as const } : one));
        const steps = quiet ? { unknown: "answer" as const } : ALL_BUT_SILENT;
        const bytes = [OPTNEG, ...plain.map(frameOf), QUIT];
        const { replies, most } = await converse([Buffer.concat(bytes)], ["plain"], { steps });
        const due = heard
          .map((one, i) => ({ ...one, i }))
          .filter(({ letter }) => ANSWERED.includes(letter) && !silent.includes(letter));
        expect(replies.slice(1)).toHaveLength(due.length);
        expect(most).toBe(1);
        for (const [n, { letter, i }] of due.entries()) {
          const reply = replies[n + 1];
          if (letter !== "E" || !reply) continue;
          const accepted = "ca".includes(letterOf(reply));
          expect([
            plain
              .slice(0, i + 1)
              .map((one) => `${one.letter}${one.manner[0]}`)
              .join(" "),
            accepted,
          ]).toEqual([expect.anything(), mayAccept(plain.slice(0, i + 1))]);
          if (!accepted) expect(reply.payload.toString()).toMatch(/^451[- ]4\.3\.0 /);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("has the same answers wherever its bytes are cut", async () => {
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(conversation, cuts, fc.array(manner, { minLength: 1 }), async (commands, places, manners) => {
        const bytes = Buffer.concat([OPTNEG, ...commands.map(frameOf), QUIT]);
        const at = [0, ...places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        const whole = await converse([bytes], manners, {});
        const cut = await converse(pieces, manners, {});
        expect(cut.replies).toEqual(whole.replies);
        expect(cut.calls).toEqual(whole.calls);
      }),
      { numRuns: 200 },
    );
  });
});

const ALL_BUT_SILENT = { header: "answer", endOfHeaders: "answer", body: "answer", unknown: "answer" } as const;

describe("anything at all", () => {
  const anyFrame = fc
    .tuple(
      fc.oneof(fc.constantFrom(...Object.values(SMFIC)), fc.integer({ min: 0, max: 255 })),
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.string({ maxLength: 30 }).map((text) => Buffer.from(`${text}\0`)),
      ),
    )
    .map(([code, payload]) => encodeFrame(code, Buffer.from(payload)));
  const garbage = fc.oneof(
    anyFrame,
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  );

  it("is survived, truncated too: no crash, every session closed, bytes within bounds", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(garbage, { maxLength: 20 }),
        fc.nat(50),
        async (negotiated, pieces, cut) => {
          const bytes = Buffer.concat([...(negotiated ? [OPTNEG] : []), ...pieces]);
          const kept = bytes.subarray(0, Math.max(0, bytes.length - cut));
          const [ours, theirs] = duplexPair({ allowHalfOpen: false });
          const calls: string[] = [];
          const settings = milterSettings({ frameBytesMax: 4_096 });
          const closed = once(ours, "close");
          serveMilter(ours, () => recordingHandler(calls), settings);
          theirs.on("error", () => {});
          theirs.resume();
          theirs.end(kept);
          await closed;
          const sessions = calls.filter((call) => call === "close").length;
          expect(sessions).toBeLessThanOrEqual(1 + kept.filter((byte) => byte === SMFIC.QUIT_NC).length);
          if (calls.length > 0) expect(calls.at(-1)).toBe("close");
        },
      ),
      { numRuns: 400 },
    );
  });
});
