/**
 * The milter door, by a real socket. In the input a line is a frame: its command letter, then its payload, in which `|` stands for NUL and
 * \x01 for a newline. A line that begins with `!` goes out as it is, a line `%%` cuts. Answers are frames; no more mails are taken than were ended.
 */
import { SMFIC } from "../../../../src/doors/milter/constants.ts";
import { encodeFrame, FrameDecoder, uint32 } from "../../../../src/doors/milter/frames.ts";
import { type FuzzedHouse, openFuzzedHouse, sayAll } from "../house.ts";
import { hold, type Target } from "../target.ts";

const OFFER = encodeFrame(SMFIC.OPTNEG, uint32(6), uint32(0x1ff), uint32(0x1f_ffff));
const QUIT = encodeFrame(SMFIC.QUIT);
const ANSWERS = "acdrtyfphmeb+-iqsOl2v4";
const FRAME_BYTES_MAX = 4 * 1_048_576;

export const milter: Target = {
  name: "milter",
  what: "milter conversations by socket: frames, order, no accept for a mail that was not judged",
  bytesMax: 300_000,
  isAsync: true,
  words: [
    ...[
      "O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff",
      "Cmx.stranger.example|4\x11\x22" + "192.0.2.7|",
      "C[x]|6\x11\x22" + "IPv6:2001:db8::1|",
      "Cl|L\0\0/run/s|",
      "Cu|U",
      "Hmx.stranger.example|",
      "M<a@stranger.example>|SIZE=9|",
      "M<>|",
    ],
    ...[
      "R<b@example.com>|",
      "R<c@other.example>|",
      "T",
      "LFrom|a@stranger.example|",
      "LSubject|x|",
      "LDate|Sun, 22 Nov 2026 12:00:00 +0000|",
      "LX|a\x01 b|",
      "N",
      "Bhello\x01",
      "E",
      "A",
      "K",
      "Q",
      "Uxyzzy|",
    ],
    ...[
      "DMi|4QwErTy|",
      "DM{auth_authen}|shop|",
      "DC{daemon_addr}|192.0.2.25|j|mx|",
      "DE{i}|",
      "!\0\0\0\0",
      "!\xff\xff\xff\xff",
      "!\0\0\0\x05L",
      "%%",
      "|",
      "\x01",
    ],
  ],
  async open() {
    const house = await openFuzzedHouse({
      listener: '{ door: milter, listen: "127.0.0.1:0" }',
      limits: "mailBytesMax: 200000, headerBytesMax: 60000, idleTimeoutMs: 5000, drainMs: 1000",
    });
    return { run: (input) => converse(house, input), close: house.close };
  },
};

const frameOf = (line: string): Buffer =>
  line.startsWith("!")
    ? Buffer.from(line.slice(1), "latin1")
    : encodeFrame(
        line.charCodeAt(0),
        Buffer.from(line.slice(1).replaceAll("|", "\0").replaceAll("\x01", "\r\n"), "latin1"),
      );

async function converse(house: FuzzedHouse, input: Buffer): Promise<void> {
  const lines = input
    .toString("latin1")
    .split(/\r?\n/)
    .filter((line) => line !== "");
  const pieces: Buffer[] = [];
  const piece: Buffer[] = lines[0]?.startsWith("O") || lines[0]?.startsWith("!") ? [] : [OFFER];
  for (const line of lines) {
    if (line !== "%%") piece.push(frameOf(line));
    else pieces.push(Buffer.concat(piece.splice(0)));
  }
  pieces.push(Buffer.concat([...piece, QUIT]));
  const heard = await sayAll(house.port, pieces);
  await house.settled();
  house.noFaults();
  const decoder = new FrameDecoder(FRAME_BYTES_MAX);
  decoder.push(heard);
  for (let frame = decoder.next(); frame; frame = decoder.next()) {
    hold(ANSWERS.includes(String.fromCharCode(frame.command)), `an answer of the kind ${frame.command}`);
  }
  hold(decoder.heldBytes === 0, "half an answer");
  const ends = lines.filter((line) => line.startsWith("E") || line.startsWith("!")).length;
  const taken = [...house.takeEntries().values()].filter((entries) =>
    entries.some(({ event }) => event === "received"),
  );
  hold(taken.length <= ends, `${taken.length} mails taken, ${ends} ended`);
}
