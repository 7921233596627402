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
  readonly compose: Compose | undefined;
}

/** Services of docker-compose.yml: where consentry runs, and whose mailboxes mail lands in. */
export interface Compose {
  readonly profile?: "milter";
  readonly consentry: string;
  readonly mailboxes: string;
}

const PLAIN: Compose = { consentry: "consentry", mailboxes: "postfix" };
const MILTER: Compose = { profile: "milter", consentry: "milter", mailboxes: "mta" };
const PORTS = { plain: { server: 2525, submission: 2587 }, milter: { server: 2526, submission: 2588 } } as const;

/** @param house the checkout: relative paths of the configuration start there */
export function readOptions(argv: readonly string[], house: string): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      server: { type: "string" },
      submission: { type: "string" },
      tls: { type: "boolean", default: false },
      config: { type: "string" },
      maildir: { type: "string" },
      compose: { type: "boolean", default: false },
      milter: { type: "boolean", default: false },
    },
  });
  const config = values.config === undefined ? resolve(house, "config/examples/start.yaml") : resolve(values.config);
  const ports = PORTS[values.milter ? "milter" : "plain"];
  const { server = `127.0.0.1:${ports.server}`, submission = `127.0.0.1:${ports.submission}` } = values;
  const compose = values.milter ? MILTER : values.compose ? PLAIN : undefined;
  const maildir = values.maildir ?? (compose ? undefined : maildirOf(config, house));
  return { server, submission, compose, config, maildir, tls: values.tls || compose !== undefined };
}

function maildirOf(config: string, house: string): string | undefined {
  const to = existsSync(config) && /maildir:([^"'\s}]+)/.exec(readFileSync(config, "utf8"))?.[1];
  return to ? resolve(house, to) : undefined;
}
