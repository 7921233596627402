import { z } from "zod";
import { count, domain } from "./values.ts";

/** Keys of the configuration for what we sign, our clients' mail (DKIM) and mail that goes on (ARC), and for senders that we rewrite. */

const selector = z.string().regex(/^[\w-]+(\.[\w-]+)*$/, "a selector");

export const arc = z.strictObject({
  domain: domain.describe("d=: whose seal it is"),
  selector: selector.describe("s=: the key is published at selector._domainkey.domain"),
  keyFile: z.string().describe("private key, PEM: RSA or Ed25519"),
  seal: z
    .enum(["changed", "always"])
    .default("changed")
    .describe("which mail is sealed: where we change the header, or all that was checked"),
});

export const dkim = z.strictObject({
  directory: z
    .string()
    .min(1)
    .optional()
    .describe("where consentry dkim keeps keys, as domain/selector.pem; default: dkim in dataDir"),
  keys: z
    .array(
      z.strictObject({
        domain: domain.describe("d=: whose signature it is"),
        selector: selector.describe("s=: published at selector._domainkey.domain"),
        keyFile: z.string().describe("private key, PEM: RSA or Ed25519"),
      }),
    )
    .default([])
    .describe("keys of your own, besides those in directory"),
});

/** Senders of forwarded mail (delivery/srs.ts) and of clients' mail (delivery/verp.ts). */
export const envelopeRewriting = z.strictObject({
  mode: z
    .enum(["off", "srs"])
    .default("off")
    .describe(
      "srs: mail that hosts of relayNetworks forward for others leaves with a sender of ours, and bounces are led back",
    ),
  verp: z
    .enum(["off", "chosen", "all"])
    .default("off")
    .describe(
      "a return address of ours for each recipient of clients' mail, so that a bounce tells whose it is (VERP); chosen: for clients with --verp; all: but for those with --no-verp; needs nextHop.mode: queue",
    ),
  domain: domain.optional().describe("domain of those senders, one of localDomains; default: hostname"),
  daysMax: count(21, 500).describe("how long bounces to them are taken, days"),
});
