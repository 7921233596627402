import { expect, it } from "vitest";
import { Unavailable } from "../../../src/kit/trouble.ts";
import { managementCode } from "../../../src/rules/advertising/management-code.ts";
import { contextOf, type Described, NOW_MS, packOf, viewsOf } from "../../helpers/described.ts";
import { tellings, testRule } from "../../helpers/rule-tester.ts";

const header = (subject: string, from = "a@shop.example"): string =>
  `From: ${from}\nDate: Sun, 22 Nov 2026 07:30:00 +0000\nSubject: ${subject}`;
const DAY = 86_400_000;
const code = (more: object = {}) => ({
  code: "1231",
  holder: "shop",
  issuedAtMs: NOW_MS - DAY,
  expiresAtMs: NOW_MS + DAY,
  published: true,
  ...more,
});
const ad: Described = {
  client: { kind: "advertiser" },
  from: "a@shop.example",
  header: header("[QC 1231] Khuyen mai"),
  codes: [code()],
  packs: [packOf("vn-2008")],
};
const service: Described = { ...ad, client: { kind: "ad-service" }, header: header("[QC] Khuyen mai") };

testRule(managementCode, {
  letsThrough: [
    ["a code of the client's own", ad],
    ["a code of a domain the client writes for", { ...ad, codes: [code({ holder: "shop.example" })] }],
    ["a label without a code", { ...ad, header: header("[QC] Khuyen mai"), codes: [] }],
    ["a code that another law's label does not know", { ...ad, packs: [packOf("vn-2020")], codes: [] }],
    ["a recipient whose law knows no codes", { ...ad, packs: [packOf("cn-2006")], codes: [] }],
    ["an ad service that holds a published code, without it in the label", service],
    [
      "a stranger's code, of the domain he writes as",
      {
        ...ad,
        client: undefined as never,
        header: header("[QC 1231] x", "a@news.ads.example"),
        codes: [code({ holder: "ads.example" })],
      },
    ],
    ["ordinary mail with brackets", { ...ad, client: {}, header: header("[1231] minutes"), codes: [] }],
  ],
  catches: [
    ["a code nobody has", { ...ad, codes: [] }, "header: reject code-invalid"],
    ["another's code", { ...ad, codes: [code({ holder: "other" })] }, "header: reject code-invalid"],
    [
      "a code of a domain that only ends alike",
      { ...ad, codes: [code({ holder: "hop.example" })] },
      "header: reject code-invalid",
    ],
    ["an expired code", { ...ad, codes: [code({ expiresAtMs: NOW_MS })] }, "header: reject code-invalid"],
    [
      "a code that is not valid yet",
      { ...ad, codes: [code({ issuedAtMs: NOW_MS + 1 })] },
      "header: reject code-invalid",
    ],
    ["a revoked code", { ...ad, codes: [code({ revokedAtMs: NOW_MS })] }, "header: reject code-invalid"],
    ["an ad service without a code", { ...service, codes: [] }, "header: reject code-required"],
    [
      "an ad service whose code is not published",
      { ...service, codes: [code({ published: false })] },
      "header: reject code-required",
    ],
    [
      "an ad service whose code has expired",
      { ...service, codes: [code({ expiresAtMs: NOW_MS })] },
      "header: reject code-required",
    ],
    [
      "a stranger with a code of somebody else's: noted",
      { ...ad, client: undefined as never, header: header("[QC 1231] x", "a@ads.example") },
      "header: note a code that is not yours",
    ],
    [
      "a wrong code where one source alone asks for it: noted",
      { ...ad, packs: [packOf("vn-2012")], codes: [] },
      "header: note a code that is not known",
    ],
  ],
});

it("names the code, what is wrong with it and the article", async () => {
  const [telling] = await tellings(managementCode, { ...ad, codes: [code({ expiresAtMs: NOW_MS })] });
  expect(telling?.finding).toMatchObject({
    detail: "1231 is expired",
    evidence: { code: "1231", wrong: "expired" },
    source: { cite: "Circular 12/2008/TT-BTTTT II.6" },
  });
});

it("lets the world's failure pass through as such, never as a pass", async () => {
  const away = () => Promise.reject(new Unavailable("store", "away"));
  const look = managementCode.looks.header;
  const context = { ...contextOf(ad), options: {}, codes: { byCode: away, heldBy: away } };
  await expect(async () => look?.(viewsOf(ad).header, context)).rejects.toThrow(Unavailable);
});
