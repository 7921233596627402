/** What senders publish in DNS and write into signatures: SPF, DMARC, DKIM keys, tags; each record read by itself. */

import { readSets } from "../../../../src/authenticity/arc/sets.ts";
import { readMessageSignature, readSignature } from "../../../../src/authenticity/dkim/signature.ts";
import { fromBase64, readTags } from "../../../../src/authenticity/dkim/tags.ts";
import { isDmarcRecord, readDmarcRecord } from "../../../../src/authenticity/dmarc/record.ts";
import { expandMacros, parseDomainSpec, parseMacros } from "../../../../src/authenticity/spf/macro.ts";
import { addressBytes } from "../../../../src/authenticity/spf/network.ts";
import { isSpfRecord, readSpfRecord } from "../../../../src/authenticity/spf/record.ts";
import { isNamed, readStsPolicy, stsIdOf } from "../../../../src/delivery/mx/sts-policy.ts";
import { Headers } from "../../../../src/mail/headers.ts";
import { hold, type Target } from "../target.ts";

/** A TXT record is no longer. */
const RECORD_BYTES_MAX = 65_535;
const EXPANDED_MAX = 1_000_000;

export const records: Target = {
  name: "records",
  what: "SPF, DMARC, DKIM and ARC records and MTA-STS policies, each read by itself",
  bytesMax: RECORD_BYTES_MAX,
  words: [
    ...[
      "v=spf1 ",
      "include:",
      "redirect=",
      "exp=",
      "a:",
      "mx",
      "ptr",
      "exists:",
      "ip4:192.0.2.0/24",
      "ip6:2001:db8::/32",
      "/24//64",
      "~all",
      "-all",
      "?all",
      "+",
    ],
    ...[
      "%{s}",
      "%{l1r-}",
      "%{d2}",
      "%{ir}.%{v}",
      "%{h}",
      "%{p}",
      "%{c}%{r}%{t}",
      "%%",
      "%_",
      "%-",
      "%{",
      "%{d999999}",
      "%{D12345r.+-/_=}",
    ],
    ...[
      "v=DMARC1;",
      "p=reject;",
      "sp=none;",
      "np=quarantine;",
      "t=y;",
      "psd=n;",
      "rua=mailto:a@b.example!10m,",
      "pct=",
      "adkim=s;",
      "aspf=r;",
      "fo=1:d:s;",
      "ri=",
    ],
    ...[
      "v=STSv1; id=1;",
      "version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 86400\n",
      "v=DKIM1;",
      "k=rsa;",
      "k=ed25519;",
      "h=sha256;",
      "t=y:s;",
      "s=email;",
      "p=",
      "n=a",
      "v=1;",
      "a=rsa-sha256;",
      "b=",
      "bh=",
      "c=relaxed/simple;",
      "d=example.com;",
      "h=from:to:from;",
      "i=@example.com;",
      "l=5;",
      "q=dns/txt;",
      "t=1;",
      "x=2;",
      "z=From:a|To:b;",
      "cv=pass;",
      "i=1;",
      "=",
      ";",
      " ",
      "\r\n ",
    ],
  ],
  open: () => ({
    run(input) {
      const text = input.toString("latin1");
      isSpfRecord(text);
      readSpfRecord(text);
      parseDomainSpec(text);
      const macros = parseMacros(text, { explanation: true });
      isDmarcRecord(text);
      readDmarcRecord(text);
      readTags(text);
      fromBase64(text);
      addressBytes(text);
      hold(stsIdOf([text])?.length !== 0, "a policy without an id");
      const policy = readStsPolicy(text);
      if (policy) hold(policy.mode === "none" || policy.mx.length > 0, "a policy that leaves no server");
      if (policy) isNamed(policy, text.slice(0, 253));
      for (const name of ["dkim-signature", "arc-message-signature", "arc-seal"]) {
        const field = { name, start: 0, end: input.length, value: text };
        const signature = readSignature(field);
        readMessageSignature(field);
        hold("because" in signature || "domain" in signature, "a signature that is neither good nor bad");
      }
      readSets(Headers.parse(input));
      if (!macros) return;
      return expandMacros(macros, () => "a.b.c.example").then((expanded) =>
        hold(expanded.length <= EXPANDED_MAX, "a macro that expands without a bound"),
      );
    },
  }),
};
