import { z } from "zod";
import type { RcptView, Sender } from "../../mail/views.ts";
import { isOwn } from "../../mail/views.ts";
import type { Hit, Listing } from "../../signals/lists.ts";
import { type Context, defineRule, type Finding, note, PASS, reject, skip } from "../define.ts";

const weight = (fallback: number) => z.number().min(0.01).max(1_000).default(fallback);
const options = z.strictObject({
  refuseFrom: weight(1).describe(
    "weights of the block lists less those of the allow lists, from which a stranger is refused",
  ),
  noteFrom: weight(0.01).describe("from which it is written down"),
});
type Options = z.infer<typeof options>;

export const listed = defineRule({
  id: "conduct/listed",
  title: "Whose address stands on a list of senders of spam is refused",
  why: "Lists in DNS and files of networks, such as an authority's published blacklist (config: lists). A list that does not\nanswer, is dead or lists everything is left out with a warning. postmaster and abuse hear everybody, so that whoever is\nlisted can ask why.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 12(1)", confidence: "C3" },
    { cite: "Decree 91/2020 (VN) on IP blacklists", confidence: "C1" },
    { cite: "RFC 5782", confidence: "RFC" },
  ],
  falseAlarms: [
    "An address that was somebody else's until yesterday",
    "One server of a large provider among thousands",
  ],
  options,
  looks: {
    rcpt(view, context) {
      const { lists, site } = context;
      if (lists.isEmpty) return skip("there is no list");
      if (isOwn(view.session)) return skip("of our own");
      const { local, domain } = view.recipient.address;
      const hearsAll = /^(?:postmaster|abuse)$/i.test(local) && (domain === "" || site.isLocal(domain));
      return hearsAll
        ? skip("hears everybody")
        : listingOf(view, context).then((found) => finding(found, context.options));
    },
  },
});

/** Asked once for each mail, however many recipients it has. */
const asked = new WeakMap<Sender, Promise<Listing>>();

function listingOf({ session, sender }: RcptView, { lists, names }: Context<Options>): Promise<Listing> {
  const known = asked.get(sender);
  if (known) return known;
  const { clientIp } = session;
  const listing = names ? lists.look(clientIp, names.within(sender), names) : lists.look(clientIp);
  asked.set(sender, listing);
  return listing;
}

function finding({ hits, weight: total, missing }: Listing, { refuseFrom, noteFrom }: Options): Finding {
  if (hits.length === 0 || total < noteFrom) return PASS;
  const evidence = {
    lists: hits.map(inWords).join(" ").slice(0, 250),
    weight: Math.round(total * 100) / 100,
    ...(missing.length > 0 && { missing: missing.join(" ").slice(0, 250) }),
  };
  if (total < refuseFrom) return note("the address is listed", { evidence });
  const blocking = hits.filter(({ kind }) => kind === "block").map(({ name }) => name);
  return reject("listed", { evidence, detail: `ask ${blocking.join(", ")}`.slice(0, 200) });
}

const inWords = ({ name, kind, answer }: Hit): string =>
  `${kind === "allow" ? "-" : ""}${name}${answer === undefined ? "" : `=${answer}`}`;
