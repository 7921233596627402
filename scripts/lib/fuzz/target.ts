/** What is fuzzed: something that takes bytes, and what must hold whatever they are. */

/** An invariant that does not hold: told like anything else that is thrown. */
export class Broken extends Error {
  constructor(what: string) {
    super(what);
    this.name = "Broken";
  }
}

/** @throws Broken */
export function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Broken(what);
}

/** A target that is ready. */
export interface Opened {
  /** Takes one input. Throws for whatever must not be: a throw of the code itself, or a `Broken` of ours. */
  run(input: Buffer): void | Promise<void>;
  close?(): Promise<void>;
}

export interface Target {
  readonly name: string;
  /** What it is, in a line, for --help and reports. */
  readonly what: string;
  /** Words that mean something there; mutation puts them in. One character a byte. */
  readonly words: readonly string[];
  /** Longest input: what the relay lets through to this code, or a little more. */
  readonly bytesMax: number;
  /** Further seeds, made by code where a file would be unreadable. */
  readonly made?: () => readonly Buffer[];
  /** Mails of the corpora beside the checkout are seeds, too: as whole mails, or only their header blocks. */
  readonly corpus?: "mails" | "headers" | "values";
  /** The line ends of seed files become CRLF. */
  readonly crlf?: boolean;
  /** What a turn of the event loop may take, ms of processor time, where it is not what the world may cost us. */
  readonly stallMs?: number;
  /** It waits for sockets: what an input costs is not only its own code's, and coverage tells nothing of the input. */
  readonly isAsync?: boolean;
  open(): Promise<Opened> | Opened;
}

/** What follows is another turn of the event loop, as it is in the relay. */
export const anotherTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
