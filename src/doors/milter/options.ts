import type { MacroStage } from "./constants.ts";
import { EDIT_BITS, type EditKind } from "./edits.ts";
import type { MilterFault } from "./handler.ts";
import type { StepMode, Wants } from "./negotiate.ts";
import type { ChosenStep } from "./steps.ts";

/** What can be chosen for a milter server, and what holds when nothing is. Times in ms. */
export interface MilterOptions {
  /** Which steps are answered, only heard, or not wanted. */
  readonly steps?: Partial<Record<ChosenStep, StepMode>>;
  /** Edits the handler may want to make; default all. */
  readonly edits?: readonly EditKind[];
  /** Macros to ask for, by stage; default: what the MTA sends unasked, at stages left out too. */
  readonly macros?: Partial<Record<MacroStage, readonly string[]>>;
  /** Hear of recipients, too, that the MTA itself refuses; default false. */
  readonly rejectedRecipients?: boolean;
  /** Longest frame; must hold the longest header field and the largest body piece. Default 1 MiB. */
  readonly frameBytesMax?: number;
  /** All edits of one mail together, a new body included. Default 64 MiB. */
  readonly editBytesMax?: number;
  /** For an answer from connect to data; below the MTA's own patience (Postfix: 30 s). Default 25 s. */
  readonly commandTimeoutMs?: number;
  /** For an answer from the headers on (Postfix: 300 s). Default 280 s. */
  readonly contentTimeoutMs?: number;
  /** While the end of a mail takes longer, the MTA is told so this often. 0: never. Default 20 s. */
  readonly keepAliveMs?: number;
  /** For the first frame of a connection. Default 10 s. */
  readonly negotiationTimeoutMs?: number;
  /** Between two frames; above the MTA's patience with its slowest client. Default 7,210 s, as in libmilter. */
  readonly idleTimeoutMs?: number;
  /** Connections at a time; one more is closed at once. Default 1,000. */
  readonly connectionsMax?: number;
  /** Hears of what goes wrong; must not throw. */
  readonly onFault?: (fault: MilterFault) => void;
}

export interface MilterSettings
  extends Required<Omit<MilterOptions, "steps" | "edits" | "macros" | "rejectedRecipients">> {
  readonly wants: Wants;
}

/** Headers and body are only heard: no MTA waits for a word after each of them. */
const STEPS = {
  connect: "answer",
  helo: "answer",
  mail: "answer",
  rcpt: "answer",
  data: "answer",
  header: "listen",
  endOfHeaders: "listen",
  body: "listen",
  unknown: "ignore",
} as const satisfies Record<ChosenStep, StepMode>;

const DEFAULTS = {
  frameBytesMax: 1_048_576,
  editBytesMax: 67_108_864,
  commandTimeoutMs: 25_000,
  contentTimeoutMs: 280_000,
  keepAliveMs: 20_000,
  negotiationTimeoutMs: 10_000,
  idleTimeoutMs: 7_210_000,
  connectionsMax: 1_000,
  onFault: () => {},
} as const;

export function milterSettings(options: MilterOptions = {}): MilterSettings {
  const { steps, edits, macros, rejectedRecipients, ...rest } = options;
  return {
    ...DEFAULTS,
    ...rest,
    wants: {
      steps: { ...STEPS, ...steps },
      edits: edits ?? (Object.keys(EDIT_BITS) as EditKind[]),
      rejectedRecipients: rejectedRecipients ?? false,
      macros,
    },
  };
}
