/** What carries mail of the queue out, and what tells senders of it, made of a house. */
import type { Config } from "./config/schema.ts";
import { openCarrier } from "./delivery/carrier/open.ts";
import type { Carrier, QueuedMail, Reporter } from "./delivery/queue/queued.ts";
import { createReporter } from "./delivery/reports/reporter.ts";
import { leadingBack, returning, srsOf, verpOf } from "./delivery/rewriting.ts";
import type { House } from "./house.ts";
import type { Names } from "./kit/names.ts";
import { Unavailable } from "./kit/trouble.ts";
import { type Language, languagesOf } from "./mail/language.ts";

/** The ways out that a configuration names. @throws Misuse */
export function carrierOf(house: House, config: Config): Carrier {
  const { log, clock } = house;
  const names: Names = {
    ask: (name, type) => {
      // A reload may have brought another one.
      const current = house.law.names;
      if (!current) return Promise.reject(new Unavailable("dns", "no server is configured"));
      return current.ask(name, type);
    },
  };
  const { tables } = house.store;
  const egressOf = (clientId: string) => house.gate.egressOf(clientId);
  const carrier = openCarrier(config, { names, log, clock, tables, egressOf });
  const verp = () => verpOf({ clock, tables }, house.law.config);
  verp()
    ?.tidy()
    .catch((error: unknown) => log.warn({ err: error }, "old return addresses could not be removed"));
  return returning(leadingBack(carrier, { srs: () => srsOf(house, house.law.config) }), verp);
}

/** Reports in the languages of those who sent, signed by the domain they are from. */
export function reporterOf(house: House): Reporter {
  const { ids, clock } = house;
  const config = () => house.law.config;
  const languagesFor = async ({ sender, session }: QueuedMail): Promise<[Language, ...Language[]]> => {
    const { reportLanguage } = config().queue;
    if (reportLanguage !== "auto") return [reportLanguage];
    const { clientId } = session;
    const client = clientId === undefined ? undefined : await house.clients.byId(clientId).catch(() => undefined);
    const packs = sender.address ? house.law.choice.for({ address: sender.address }, client ? { client } : {}) : [];
    return languagesOf(packs.map(({ country }) => country));
  };
  const from = () => config().queue.reportFrom ?? `mailer-daemon@${config().hostname}`;
  const sign = async (text: Buffer): Promise<Buffer> => (await house.law.signing?.own(text)) ?? text;
  return createReporter({ hostname: () => config().hostname, from, languagesFor, ids, clock, sign });
}
