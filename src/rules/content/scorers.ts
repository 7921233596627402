import type { Content } from "../../mail/content.ts";
import type { BodyView } from "../../mail/views.ts";

/** What another program says of a mail. */
export interface SpamScore {
  readonly score: number;
  /** From where on that program itself would refuse. */
  readonly required: number;
  /** Names of what it found, the weightiest first, at most ten. */
  readonly found: readonly string[];
}

/** Programs beside the relay that are asked only when the configuration names them. src/scorers implements them. */
export interface Scorers {
  /** @throws Unavailable("scorer"); @returns undefined for a mail larger than it is given */
  readonly spam?: { score(view: BodyView): Promise<SpamScore | undefined> };
  readonly malware?: {
    /** @throws Unavailable("scorer"); @returns `found`: the name of what is in it; `tooLarge`: it was not looked at */
    scan(content: Content): Promise<{ readonly found?: string; readonly tooLarge?: true }>;
  };
}
