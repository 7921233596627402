import type { StsPolicy } from "./sts-policy.ts";

/** MTA-STS policies of domains. */
export interface Policies {
  /** The policy in force; undefined: the domain has none. Never throws, and is bounded. */
  of(domain: string): Promise<StsPolicy | undefined>;
}

export const NO_POLICIES: Policies = { of: async () => undefined };
