import type { ArgumentsCamelCase, Argv, CommandModule } from "yargs";

/** Options that every command has. */
export interface Globals {
  readonly config: string;
  readonly json: boolean;
}

/** Kinds of options. One that is named without a value is misuse, not an empty text. */
export const text = (describe: string) => ({ type: "string", requiresArg: true, describe }) as const;
export const count = (describe: string) => ({ type: "number", requiresArg: true, describe }) as const;
export const texts = (describe: string) =>
  ({ type: "string", array: true, nargs: 1, describe: `${describe}; may be repeated` }) as const;
/** A word without a name in front. */
export const word = (describe: string) => ({ type: "string", demandOption: true, describe }) as const;
/** An option that must be there. */
export const needed = <Option extends object>(option: Option) => ({ ...option, demandOption: true }) as const;

export const actorOption = text("who does it, for the ledger; default: your user name");

/** What is asked when a command is missing. */
export const WHICH = "which command?";

/** What `-` becomes where a file is named. */
export const STDIN = "stdin:";

interface Command<Options> {
  /** Name and positionals: "show ID" is written `show <id>`. */
  readonly command: string;
  readonly describe: string;
  readonly builder: (args: Argv<Globals>) => Argv<Options>;
  readonly handler: (options: ArgumentsCamelCase<Options>) => Promise<void>;
}

/**
 * Declares a command; the options' types flow from the builder into the handler. Whatever is heavy (schemas, stores, doors)
 * is imported inside the handler, so that --help and a wrong word are answered at once.
 */
export const defineCommand = <Options extends Globals>(command: Command<Options>): CommandModule =>
  command as unknown as CommandModule;

/** Declares a command that has commands of its own. */
export function defineGroup(command: string, describe: string, members: readonly CommandModule[]): CommandModule {
  return {
    command: `${command} <command>`,
    describe,
    builder(args) {
      for (const member of members) args.command(member);
      return args.demandCommand(1, WHICH).recommendCommands();
    },
    handler: () => undefined,
  };
}
