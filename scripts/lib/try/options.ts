import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface Options {
  /** host:port */
  readonly server: string;
  readonly submission: string;
  readonly tls: boolean;
  /** The server's configuration, for bin/consentry. */
  readonly config: string;
  /** Where delivered mail lies; undefined: nobody looks. */
  readonly maildir: string | undefined;
  readonly compose: boolean;
}

/** @param house the checkout: relative paths of the configuration start there */
export function readOptions(argv: readonly string[], house: string): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      server: { type: "string", default: "127.0.0.1:2525" },
      submission: { type: "string", default: "127.0.0.1:2587" },
      tls: { type: "boolean", default: false },
      config: { type: "string" },
      maildir: { type: "string" },
      compose: { type: "boolean", default: false },
    },
  });
  const config = values.config === undefined ? resolve(house, "config/examples/start.yaml") : resolve(values.config);
  const { server, submission, compose } = values;
  const maildir = values.maildir ?? (compose ? undefined : maildirOf(config, house));
  return { server, submission, compose, config, maildir, tls: values.tls || compose };
}

function maildirOf(config: string, house: string): string | undefined {
  const to = existsSync(config) && /maildir:([^"'\s}]+)/.exec(readFileSync(config, "utf8"))?.[1];
  return to ? resolve(house, to) : undefined;
}
