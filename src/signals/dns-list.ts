/**
 * One list in DNS, for or against addresses (RFC 5782). Before it is believed, and every now and then, it is asked for the two
 * test entries: 127.0.0.2 must be listed, 127.0.0.1 must not. A list that is dead lists nothing any more, one whose domain
 * has been sold lists everything; both are dropped with a warning, and tried again later. Each address family apart.
 */
import type { Clock } from "../kit/clock.ts";
import { type Names, reverseName } from "../kit/names.ts";
import { Unavailable } from "../kit/trouble.ts";

export interface DnsListOptions {
  readonly zone: string;
  /** Answers that count: "127.0.0.2", "127.0.0.4-127.0.0.7"; none named: all of 127.0.0.0/8 that is no error. */
  readonly answers: readonly string[];
  /** How long a test counts. */
  readonly recheckMs: number;
}

/** What a list says of an address. `dropped`: the list is not believed; `silent`: it did not answer. */
export type DnsListWord =
  | { readonly listed: true; readonly answer: string }
  | { readonly listed: false; readonly because?: "dropped" | "silent" };

export interface DnsList {
  /** @param tests asks what belongs to no mail */
  ask(ip: string, names: Names, tests: Names): Promise<DnsListWord>;
}

export interface DnsListParts {
  readonly clock: Clock;
  readonly onState: (state: {
    readonly zone: string;
    readonly family: "IPv4" | "IPv6";
    readonly dropped?: string;
  }) => void;
}

/** Silences in a row after which a list is not asked for a while. */
const SILENCES_MAX = 3;
const SILENT_MS = 60_000;
const NO_ANSWER = "it does not answer";

const NOT_LISTED: DnsListWord = Object.freeze({ listed: false });
const DROPPED: DnsListWord = Object.freeze({ listed: false, because: "dropped" });
const SILENT: DnsListWord = Object.freeze({ listed: false, because: "silent" });

const TESTS = {
  IPv4: { listed: "127.0.0.2", unlisted: "127.0.0.1" },
  IPv6: { listed: "::ffff:7f00:2", unlisted: "::ffff:7f00:1" },
} as const;
type Family = keyof typeof TESTS;

interface Health {
  /** Why it is not believed; undefined: it is. */
  dropped: string | undefined;
  /** Told to the operator already. */
  told: string | undefined;
  untilMs: number;
  silences: number;
  testing: Promise<void> | undefined;
}

export const createDnsList = (options: DnsListOptions, parts: DnsListParts): DnsList => new List(options, parts);

const unknown = (): Health => ({
  dropped: undefined,
  told: undefined,
  untilMs: 0,
  silences: 0,
  testing: undefined,
});

class List implements DnsList {
  private readonly options: DnsListOptions;
  private readonly parts: DnsListParts;
  private readonly counts: (answer: string) => boolean;
  private readonly healths: Readonly<Record<Family, Health>> = { IPv4: unknown(), IPv6: unknown() };

  constructor(options: DnsListOptions, parts: DnsListParts) {
    this.options = options;
    this.parts = parts;
    this.counts = answerTest(options.answers);
  }

  async ask(ip: string, names: Names, tests: Names): Promise<DnsListWord> {
    const family = ip.includes(":") ? "IPv6" : "IPv4";
    if (!(await this.isBelieved(family, tests))) return DROPPED;
    const health = this.healths[family];
    try {
      const answers = await this.answersFor(ip, names);
      health.silences = 0;
      if (answers.some(isError)) health.untilMs = Math.min(health.untilMs, this.parts.clock.now());
      const answer = answers.find(this.counts);
      return answer === undefined ? NOT_LISTED : { listed: true, answer };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      health.silences += 1;
      if (health.silences >= SILENCES_MAX) this.settle(family, NO_ANSWER, SILENT_MS);
      return SILENT;
    }
  }

  /** A list that is believed is tested again beside the mails; one that is not, before it is asked. */
  private async isBelieved(family: Family, names: Names): Promise<boolean> {
    const health = this.healths[family];
    if (this.parts.clock.now() < health.untilMs) return health.dropped === undefined;
    const before = health.untilMs > 0 && health.dropped === undefined;
    health.testing ??= this.test(family, names).finally(() => {
      health.testing = undefined;
    });
    if (before) health.testing.catch(() => undefined);
    else await health.testing;
    return health.dropped === undefined;
  }

  private async test(family: Family, names: Names): Promise<void> {
    const ask = (ip: string) => this.answersFor(ip, names);
    const { reason, forMs } = await verdictOf(family, ask, this.options.recheckMs);
    this.settle(family, reason, forMs);
  }

  private settle(family: Family, reason: string | undefined, forMs: number): void {
    const { clock, onState } = this.parts;
    const health = this.healths[family];
    Object.assign(health, { dropped: reason, untilMs: clock.now() + forMs, silences: 0 });
    if (health.told === reason) return;
    health.told = reason;
    onState({ zone: this.options.zone, family, ...(reason !== undefined && { dropped: reason }) });
  }

  private async answersFor(ip: string, names: Names): Promise<readonly string[]> {
    const reversed = reverseName(ip).replace(/\.(?:in-addr|ip6)\.arpa$/, "");
    return (await names.ask(`${reversed}.${this.options.zone}`, "A")).records;
  }
}

/** What the test entries say, and how long that counts. */
async function verdictOf(
  family: Family,
  ask: (ip: string) => Promise<readonly string[]>,
  recheckMs: number,
): Promise<{ reason: string | undefined; forMs: number }> {
  const { listed, unlisted } = TESTS[family];
  try {
    const [yes, no] = await Promise.all([ask(listed), ask(unlisted)]);
    if (yes.some(isError) || no.some(isError)) return { reason: "it refuses our questions", forMs: recheckMs };
    if (no.length > 0) return { reason: `it lists everything: ${unlisted} is listed`, forMs: recheckMs };
    const sound = yes.some((answer) => answer.startsWith("127."));
    return { reason: sound ? undefined : `it lists nothing: ${listed} is not listed`, forMs: recheckMs };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { reason: NO_ANSWER, forMs: SILENT_MS };
  }
}

/** 127.255.255.0/24 is how lists say that they do not want to be asked. */
const isError = (answer: string): boolean => answer.startsWith("127.255.255.");

const numberOf = (ip: string): number => ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

/** Which answers mean that the address is listed; nothing outside 127.0.0.0/8 ever does. */
function answerTest(answers: readonly string[]): (answer: string) => boolean {
  const ranges = answers.map((text) => {
    const [from = "", to = from] = text.split("-");
    return { from: numberOf(from), to: numberOf(to) };
  });
  return (answer) => {
    if (!answer.startsWith("127.") || isError(answer)) return false;
    const value = numberOf(answer);
    return ranges.length === 0 || ranges.some(({ from, to }) => value >= from && value <= to);
  };
}
