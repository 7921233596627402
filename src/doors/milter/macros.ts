import { SMFIC } from "./constants.ts";
import { readStrings } from "./payload.ts";

/** What the MTA knows beside the commands: queue id, login, TLS, its own name, where it would deliver. */
export interface Macros {
  /** Value of a macro, with or without its braces: `i`, `auth_authen` or `{auth_authen}`. The latest stage that has it wins. */
  get(name: string): string | undefined;
}

/** Stages in the order of a mail; what is known at one is still known at those that follow. */
const STAGES: readonly number[] = [
  SMFIC.CONNECT,
  SMFIC.HELO,
  SMFIC.MAIL,
  SMFIC.RCPT,
  SMFIC.DATA,
  SMFIC.HEADER,
  SMFIC.EOH,
  SMFIC.BODY,
  SMFIC.BODYEOB,
  SMFIC.UNKNOWN,
];
const STAGE_OF = new Map(STAGES.map((command, stage) => [command, stage]));
const FIRST_OF_MAIL = STAGES.indexOf(SMFIC.MAIL);

export interface MacroBook extends Macros {
  /** Takes an SMFIC_MACRO frame. @returns false when it is malformed */
  define(payload: Buffer): boolean;
  /** A command has arrived: macros of its stage that were not sent again just now, and of later stages, are gone. */
  enter(command: number): void;
  /** The mail is over, however it ended. */
  endMail(): void;
  clear(): void;
}

/** Keeps the frames as they came and reads one only when somebody asks: an MTA may send one before every header. */
export function createMacroBook(): MacroBook {
  const stages: (Buffer | Map<string, string> | undefined)[] = STAGES.map(() => undefined);
  let fresh: number | undefined;

  const forgetFrom = (stage: number): void => {
    stages.fill(undefined, stage);
  };
  const read = (stage: number): Map<string, string> | undefined => {
    const held = stages[stage];
    if (held === undefined || held instanceof Map) return held;
    const macros = readMacros(held);
    stages[stage] = macros;
    return macros;
  };

  return {
    get(name) {
      const key = bare(name);
      for (let stage = stages.length - 1; stage >= 0; stage -= 1) {
        const value = stages[stage] && read(stage)?.get(key);
        if (value !== undefined) return value;
      }
      return undefined;
    },
    define(payload) {
      const command = payload[0];
      if (command === undefined || (payload.length > 1 && payload[payload.length - 1] !== 0)) return false;
      const stage = STAGE_OF.get(command);
      if (stage === undefined) return true;
      forgetFrom(stage);
      stages[stage] = payload;
      fresh = stage;
      return true;
    },
    enter(command) {
      const stage = STAGE_OF.get(command);
      if (stage !== undefined) forgetFrom(fresh === stage ? stage + 1 : stage);
      fresh = undefined;
    },
    endMail: () => forgetFrom(FIRST_OF_MAIL),
    clear: () => forgetFrom(0),
  };
}

const bare = (name: string): string => (name.startsWith("{") && name.endsWith("}") ? name.slice(1, -1) : name);

/** Pairs of name and value after the command byte; a name without a value counts as empty. */
function readMacros(payload: Buffer): Map<string, string> {
  const strings = readStrings(payload, 1) ?? [];
  const macros = new Map<string, string>();
  for (let i = 0; i < strings.length; i += 2) macros.set(bare(strings[i] ?? ""), strings[i + 1] ?? "");
  return macros;
}
