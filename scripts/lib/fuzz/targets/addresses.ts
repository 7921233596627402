/** Addresses in commands and in header fields. */
import { canonicalIp, canonicalRange } from "../../../../src/kit/ip.ts";
import { withoutComments } from "../../../../src/mail/comments.ts";
import { domainList } from "../../../../src/mail/domains.ts";
import { parseMailboxes } from "../../../../src/mail/mailboxes.ts";
import { organisationOf } from "../../../../src/mail/organisation.ts";
import { decodeXtext, parseAddress, parseDomain, parsePathWithParams } from "../../../../src/mail/path.ts";
import { shapesOf } from "../../../../src/signals/similar.ts";
import { Broken, hold, type Target } from "../target.ts";

/** A command line is no longer (smtp-server). */
const COMMAND_BYTES_MAX = 16_384;
const UNWRITABLE = /[\x00-\x1f\x7f\r\n]/;
const LOCAL = domainList(["example.com", "*.branch.example.com", "xn--fsqu00a.xn--0zwm56d"]);

export const addresses: Target = {
  name: "addresses",
  what: "addresses: paths of commands with their parameters, mailboxes of header fields",
  bytesMax: 262_144,
  corpus: "values",
  words: [
    ...[
      "<",
      ">",
      "@",
      "<>",
      '"',
      '\\"',
      "\\",
      "(",
      ")",
      "((",
      ",",
      ";",
      ":",
      ".",
      "..",
      "[",
      "]",
      "[IPv6:",
      "[127.0.0.1]",
      "[IPv6:::1]",
    ],
    ...[
      "a@example.com",
      "<a@example.com>",
      '"a b"@example.com',
      "@x,@y:a@b",
      "xn--",
      "xn--fsqu00a.xn--0zwm56d",
      "postmaster",
      "a%b@c",
      "a!b",
      "+2B",
      "+00",
    ],
    ...[
      " SIZE=1",
      " BODY=8BITMIME",
      " SMTPUTF8",
      " NOTIFY=NEVER",
      " ORCPT=rfc822;a+40b",
      " AUTH=<>",
      "\xe4\xbe\x8b\xe5\xad\x90",
      "\xe3\x80\x82",
      "\xc2\xad",
      "\xef\xbc\xa0",
    ],
    ...[
      "=?utf-8?Q?a=40b?=",
      "undisclosed-recipients:;",
      "Group: a@b, c@d;",
      "e\xcc\x81",
      "\xe2\x80\x8b",
      "%61",
      "a.b.c.d.e",
      "-",
      "_dmarc",
      "co.uk",
    ],
  ],
  open: () => ({
    run(input) {
      const raw = input.toString("latin1");
      parseMailboxes(raw);
      withoutComments(raw);
      const text = input.subarray(0, COMMAND_BYTES_MAX).toString("utf8");
      const read = parsePathWithParams(text);
      checkAddress(parseAddress(text));
      checkAddress(read?.path.address ?? undefined);
      const domain = parseDomain(text);
      if (domain !== undefined) {
        hold(/^[\x21-\x7e]*$/.test(domain), "a domain that is not ASCII");
        organisationOf(domain);
        LOCAL.has(domain);
      }
      const decoded = decodeXtext(text);
      hold(decoded === undefined || !UNWRITABLE.test(decoded), "xtext that hides a control character");
      const ip = canonicalIp(text);
      hold(ip === undefined || canonicalIp(ip) === ip, "an address that has two canonical forms");
      canonicalRange(text);
    },
  }),
};

/** What was read can be written and read again, and nothing in it ends a line. */
function checkAddress(address: ReturnType<typeof parseAddress>): void {
  if (!address || address.domain === "") return;
  if (UNWRITABLE.test(address.text)) throw new Broken("an address with a control character");
  shapesOf(address.local);
  const again = parseAddress(address.text);
  hold(again !== undefined, "an address that cannot be read as it is written");
  hold(again.key === address.key && again.domain === address.domain, "an address that is another when read again");
}
