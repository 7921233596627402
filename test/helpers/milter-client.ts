import { connect as connectSocket, type NetConnectOpts } from "node:net";
import type { Duplex } from "node:stream";
import { SMFIC, SMFIR } from "../../src/doors/milter/constants.ts";
import { encodeFrame, type Frame, FrameDecoder, uint32 } from "../../src/doors/milter/frames.ts";
import { STEPS, type Step } from "../../src/doors/milter/steps.ts";

/**
 * The MTA's side of the milter protocol: sends what a test tells it to, in order or not, and reads what comes back. Like an
 * MTA it sends and waits only as was negotiated; `raw` obeys nothing.
 */

/** An edit or answer as it came: the letter of its command, and its strings (a number in front where there is one). */
export interface Seen {
  readonly letter: string;
  readonly parts: readonly string[];
}

export interface Offer {
  readonly version?: number;
  readonly actions?: number;
  readonly steps?: number;
}

export interface Agreed {
  readonly version: number;
  readonly actions: number;
  readonly steps: number;
  /** Macro lists asked for, by number of their stage. */
  readonly macros: Readonly<Record<number, string>>;
}

export const V2: Offer = { version: 2, actions: 0x3f, steps: 0x7f };
export const V6: Offer = { version: 6, actions: 0x1ff, steps: 0x1f_ffff };

const FINAL = "cardytsf4";
const INDEXED = "mi";

export interface MilterClient {
  readonly socket: Duplex;
  negotiate(offer?: Offer): Promise<Agreed>;
  macro(command: number, macros: Record<string, string>): void;
  connect(hostname?: string, address?: string, port?: number): Promise<Seen | undefined>;
  helo(name?: string): Promise<Seen | undefined>;
  mail(...args: string[]): Promise<Seen | undefined>;
  rcpt(...args: string[]): Promise<Seen | undefined>;
  data(): Promise<Seen | undefined>;
  header(name: string, value: string): Promise<Seen | undefined>;
  endOfHeaders(): Promise<Seen | undefined>;
  body(chunk: Buffer | string): Promise<Seen | undefined>;
  /** Everything up to and with the answer: edits, progress, answer last. */
  endOfMessage(rest?: Buffer): Promise<Seen[]>;
  unknown(command: string): Promise<Seen | undefined>;
  abort(): void;
  quit(): void;
  quitNc(): void;
  /** Sends bytes as they are. */
  raw(bytes: Buffer): void;
  /** The next frame, whatever was due; undefined: the connection is closed. */
  next(): Promise<Frame | undefined>;
  /** Answers come without being waited for by one of the methods above; undefined: closed. */
  answer(): Promise<Seen | undefined>;
  destroy(): void;
}

export const openMilterClient = (to: NetConnectOpts): MilterClient => milterClient(connectSocket(to));

/** The letters of everything seen, for short expectations: "hc" is an added header and continue. */
export const letters = (seen: readonly (Seen | undefined)[]): string => seen.map((one) => one?.letter ?? ".").join("");

export function milterClient(socket: Duplex): MilterClient {
  const decoder = new FrameDecoder(1 << 27);
  const frames: Frame[] = [];
  const waiting: ((frame: Frame | undefined) => void)[] = [];
  let closed = false;
  let steps = 0;
  let version = 6;
  socket.on("data", (chunk: Buffer) => {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame; frame = decoder.next()) {
      const waiter = waiting.shift();
      if (waiter) waiter(frame);
      else frames.push(frame);
    }
  });
  socket.on("error", () => {});
  const end = (): void => {
    closed = true;
    for (const waiter of waiting.splice(0)) waiter(undefined);
  };
  socket.on("close", end);
  socket.on("end", end);

  const send = (command: number, ...parts: (Buffer | string)[]): void => {
    if (!socket.destroyed) socket.write(encodeFrame(command, ...parts));
  };
  const next = (): Promise<Frame | undefined> => {
    const frame = frames.shift();
    if (frame || closed) return Promise.resolve(frame);
    return new Promise((resolve) => waiting.push(resolve));
  };
  const answer = async (): Promise<Seen | undefined> => {
    const frame = await next();
    return frame && seen(frame);
  };
  const ask = async (step: Step, ...parts: (Buffer | string)[]): Promise<Seen | undefined> => {
    const { command, off, silent } = STEPS[step];
    const younger = (step === "data" && version < 4) || (step === "unknown" && version < 3);
    if (steps & off || younger) return undefined;
    send(command, ...parts);
    return steps & silent ? undefined : answer();
  };

  return {
    socket,
    async negotiate(offer = V6) {
      const { version: newest = 6, actions = 0x1ff, steps: offered = 0x1f_ffff } = offer;
      send(SMFIC.OPTNEG, uint32(newest), uint32(actions), uint32(offered));
      const frame = await next();
      if (frame?.command !== SMFIC.OPTNEG) throw new Error("no answer to the negotiation");
      const agreed = readAgreed(frame.payload);
      steps = agreed.steps;
      version = agreed.version;
      return agreed;
    },
    macro(command, macros) {
      const strings = Object.entries(macros).flat();
      send(SMFIC.MACRO, Buffer.from([command]), strings.map((text) => `${text}\0`).join(""));
    },
    connect: (hostname = "mail.example.org", address = "192.0.2.7", port = 40_000) =>
      ask("connect", `${hostname}\0${family(address)}`, Buffer.from([port >> 8, port & 255]), `${address}\0`),
    helo: (name = "mail.example.org") => ask("helo", `${name}\0`),
    mail: (...args) => ask("mail", args.map((arg) => `${arg}\0`).join("")),
    rcpt: (...args) => ask("rcpt", args.map((arg) => `${arg}\0`).join("")),
    data: () => ask("data"),
    header: (name, value) => ask("header", Buffer.from(`${name}\0${value}\0`, "latin1")),
    endOfHeaders: () => ask("endOfHeaders"),
    body: (chunk) => ask("body", chunk),
    async endOfMessage(rest = Buffer.alloc(0)) {
      send(SMFIC.BODYEOB, rest);
      const all: Seen[] = [];
      for (;;) {
        const one = await answer();
        if (one) all.push(one);
        if (!one || FINAL.includes(one.letter)) return all;
      }
    },
    unknown: (command) => ask("unknown", `${command}\0`),
    abort: () => send(SMFIC.ABORT),
    quit: () => send(SMFIC.QUIT),
    quitNc: () => send(SMFIC.QUIT_NC),
    raw: (bytes) => void socket.write(bytes),
    next,
    answer,
    destroy: () => void socket.destroy(),
  };
}

const family = (address: string): string => (address.startsWith("/") ? "L" : address.includes(":") ? "6" : "4");

function seen({ command, payload }: Frame): Seen {
  const letter = String.fromCharCode(command);
  if (command === SMFIR.REPLBODY) return { letter, parts: [payload.toString("latin1")] };
  const at = INDEXED.includes(letter) ? 4 : 0;
  const strings = payload.length > at ? payload.toString("utf8", at, payload.length - 1).split("\0") : [];
  return { letter, parts: at ? [String(payload.readUInt32BE()), ...strings] : strings };
}

function readAgreed(payload: Buffer): Agreed {
  const macros: Record<number, string> = {};
  let at = 12;
  while (at < payload.length) {
    const end = payload.indexOf(0, at + 4);
    macros[payload.readUInt32BE(at)] = payload.toString("latin1", at + 4, end);
    at = end + 1;
  }
  return {
    version: payload.readUInt32BE(0),
    actions: payload.readUInt32BE(4),
    steps: payload.readUInt32BE(8),
    macros,
  };
}

/** One whole mail, up to the end of its body: what most tests begin with. */
export async function sendMail(
  client: MilterClient,
  mail: {
    from?: string;
    to?: readonly string[];
    headers?: readonly [string, string][];
    body?: readonly (Buffer | string)[];
  } = {},
): Promise<(Seen | undefined)[]> {
  const answers = [await client.mail(`<${mail.from ?? "anna@example.org"}>`)];
  for (const to of mail.to ?? ["bert@example.com"]) answers.push(await client.rcpt(`<${to}>`));
  answers.push(await client.data());
  for (const [name, value] of mail.headers ?? [["Subject", " hello"]]) answers.push(await client.header(name, value));
  answers.push(await client.endOfHeaders());
  for (const chunk of mail.body ?? ["hello\r\n"]) answers.push(await client.body(chunk));
  return answers;
}
