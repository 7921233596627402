import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { Misuse, Unavailable } from "../kit/trouble.ts";
import { STDIN, WHICH } from "./globals.ts";
import { COMMANDS } from "./list.ts";
import { endWithReader, Refused } from "./output.ts";

/** Exit codes of every command: 0 done, 1 it says no or could not, 2 used wrongly. */
const SAYS_NO = 1;
const MISUSED = 2;

/** Runs one command line. */
async function run(): Promise<void> {
  // yargs reads a lone dash as an empty text.
  const words = hideBin(process.argv).map((word) => (word === "-" ? STDIN : word));
  const parser = yargs(words)
    .scriptName("consentry")
    .usage("$0 <command>\n\nAn SMTP relay and milter that enforces e-mail law at the server.")
    .option("config", {
      type: "string",
      default: "config/consentry.yaml",
      describe: "configuration file",
      global: true,
    })
    .option("json", { type: "boolean", default: false, describe: "machine-readable output", global: true })
    .demandCommand(1, WHICH)
    .strict()
    .recommendCommands()
    .check(noneTwice, true)
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .version(false)
    .help()
    .locale("en")
    .updateStrings(WORDS as Record<string, string>)
    .fail((message, error, parsed) => {
      if (error && !message) throw error;
      if (message?.startsWith(WHICH)) return showHelp(parsed);
      throw new Misuse(`${message}\n${helpHint(words)}`);
    })
    .epilogue("Exit codes: 0 done, 1 it says no or could not, 2 used wrongly.");
  for (const command of COMMANDS) parser.command(command);
  await parser.parseAsync();
}

/** yargs says some things in words of its own. */
const WORDS: Readonly<Record<string, string | { one: string; other: string }>> = {
  "Did you mean %s?": "there is no such command; did you mean %s?",
  "Unknown argument: %s": {
    one: "there is no such word or option: %s",
    other: "there are no such words or options: %s",
  },
  "Not enough non-option arguments: got %s, need at least %s": {
    one: "something is missing: %s given, %s needed",
    other: "something is missing: %s given, %s needed",
  },
  "Not enough arguments following: %s": "--%s needs a value",
  "Missing required argument: %s": { one: "--%s is missing", other: "missing: --%s" },
};

/** No command at all: the page that lists them, as it is not what was meant to be done. */
function showHelp(parsed: { showHelp(level: string): unknown }): void {
  parsed.showHelp("error");
  process.exit(MISUSED);
}

/** Which page of help would have told. */
function helpHint(words: readonly string[]): string {
  const names = COMMANDS.map(({ command }) => String(command).split(" ")[0]);
  const command = words.find((word) => names.includes(word));
  return `consentry ${command === undefined ? "" : `${command} `}--help says what there is`;
}

/** yargs makes a list of an option that is given twice; nobody expects one. */
function noneTwice(options: Record<string, unknown>, parsed: unknown): true {
  const { string, number, boolean, array } = parsed as Record<string, string[]>;
  const single = [...(string ?? []), ...(number ?? []), ...(boolean ?? [])].filter((name) => !array?.includes(name));
  const twice = single.find((name) => Array.isArray(options[name]));
  if (twice !== undefined) throw new Misuse(`--${twice} is given twice`);
  return true;
}

// What is written here, exports and the ledger above all, is nobody else's to read.
process.umask(0o077);
endWithReader();
run().catch((error: unknown) => {
  const known = error instanceof Misuse || error instanceof Unavailable || error instanceof Refused;
  process.stderr.write(`consentry: ${known ? error.message : (error as Error).stack}\n`);
  process.exitCode = error instanceof Misuse ? MISUSED : SAYS_NO;
});
