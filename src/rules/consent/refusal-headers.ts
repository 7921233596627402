import { z } from "zod";
import { isAdSender } from "../../mail/client.ts";
import type { HeaderEdit } from "../../mail/edits.ts";
import type { HeaderView } from "../../mail/views.ts";
import { type Context, defineRule, PASS, skip } from "../define.ts";

export const refusalHeaders = defineRule({
  id: "consent/refusal-headers",
  title: "A client's advertisement says where to refuse",
  why: "Advertising names a contact for refusing that works. Where a client's advertisement has no List-Unsubscribe, this relay\nadds its own (refusals.addHeaders): one click where the mail has one recipient, else a mail to refusals.address.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 14", confidence: "C3" },
    { cite: "RFC 8058 3.1", confidence: "RFC" },
  ],
  falseAlarms: ["An advertiser's mail that advertises nothing, such as an invoice: it gets the headers, too"],
  options: z.strictObject({}),
  looks: {
    header(view, context) {
      const { client } = view.session;
      if (!client || !isAdSender(client)) return skip("the client is no advertiser");
      if (view.headers.count("list-unsubscribe") > 0) return skip("it says so itself");
      const edits = editsOf(view, client.id, context);
      return edits.length > 0 ? { ...PASS, edits } : skip("there is no way to refuse to name");
    },
  },
});

function editsOf({ recipients }: HeaderView, advertiser: string, context: Context<unknown>): HeaderEdit[] {
  const only = recipients.length === 1 ? recipients[0] : undefined;
  const { url, mailto } = context.refusalWay(advertiser, only);
  const ways = [url, mailto].filter((way) => way !== undefined).map((way) => `<${way}>`);
  if (ways.length === 0) return [];
  const unsubscribe: HeaderEdit = { kind: "add", name: "List-Unsubscribe", value: ways.join(",\r\n ") };
  if (!url?.startsWith("https:")) return [unsubscribe];
  return [unsubscribe, { kind: "add", name: "List-Unsubscribe-Post", value: "List-Unsubscribe=One-Click" }];
}
