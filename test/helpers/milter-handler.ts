import { duplexPair } from "node:stream";
import type { MilterFault, MilterHandler, MilterPeer } from "../../src/doors/milter/handler.ts";
import { type MilterOptions, milterSettings } from "../../src/doors/milter/options.ts";
import { type MilterConnection, serveMilter } from "../../src/doors/milter/protocol.ts";
import { type MilterClient, milterClient, type Offer } from "./milter-client.ts";

/** A handler that goes on with everything and writes down what it was told; a test overrides the steps it is about. */
export function recordingHandler(calls: string[], overrides: Partial<MilterHandler> = {}): MilterHandler {
  const note = (name: string, ...what: readonly unknown[]): void => {
    calls.push([name, ...what].join(" "));
  };
  const plain: MilterHandler = {
    connect: ({ hostname, family, address, port }) => go("connect", hostname, family, address, port),
    helo: (name) => go("helo", name),
    mail: (args) => go("mail", ...args),
    rcpt: (args) => go("rcpt", ...args),
    data: () => go("data"),
    header: (name, value) => go("header", `${name}:${value}`),
    endOfHeaders: () => go("endOfHeaders"),
    body: (chunk) => go("body", chunk.length),
    endOfMessage: () => go("endOfMessage"),
    unknown: (command) => go("unknown", command),
    abort: () => note("abort"),
    close: () => note("close"),
  };
  const go = (name: string, ...what: readonly unknown[]): "continue" => {
    note(name, ...what);
    return "continue";
  };
  return { ...plain, ...overrides };
}

export interface Served {
  readonly client: MilterClient;
  readonly connection: MilterConnection;
  readonly calls: string[];
  readonly faults: MilterFault[];
  readonly peers: MilterPeer[];
}

/** One connection in memory, no network: the client's end of it, and what the handler heard. */
export function serve(overrides: Partial<MilterHandler> = {}, options: MilterOptions = {}): Served {
  const [ours, theirs] = duplexPair({ allowHalfOpen: false });
  // As with sockets: one end closed is the other end gone.
  theirs.on("close", () => ours.destroy());
  const calls: string[] = [];
  const faults: MilterFault[] = [];
  const peers: MilterPeer[] = [];
  const settings = milterSettings({ onFault: (fault) => faults.push(fault), ...options });
  const newHandler = (peer: MilterPeer): MilterHandler => {
    peers.push(peer);
    return recordingHandler(calls, overrides);
  };
  const connection = serveMilter(ours, newHandler, settings);
  return { client: milterClient(theirs), connection, calls, faults, peers };
}

/** The same, negotiated, connected and greeted. */
export async function serveSession(
  overrides: Partial<MilterHandler> = {},
  options: MilterOptions & { offer?: Offer } = {},
): Promise<Served> {
  const { offer, ...rest } = options;
  const served = serve(overrides, rest);
  await served.client.negotiate(offer);
  await served.client.connect();
  await served.client.helo();
  return served;
}

/** Every step answered: what a test of answers wants. */
export const ALL_ANSWERED = {
  connect: "answer",
  helo: "answer",
  mail: "answer",
  rcpt: "answer",
  data: "answer",
  header: "answer",
  endOfHeaders: "answer",
  body: "answer",
  unknown: "answer",
} as const;
