/**
 * The HTTP door, by a real socket: never a 5xx but the 503 of /readyz, and nothing logged as a bug. REFUSE, AGREE and SECRET in the input stand
 * for tokens that are good.
 */
import { API_TOKEN, openFuzzedHouse, sayAll } from "../house.ts";
import { hold, type Target } from "../target.ts";

const STATUS = /HTTP\/1\.1 (\d{3}) /g;
const FORBIDDEN = new Set(["500", "501", "502", "504"]);

export const http: Target = {
  name: "http",
  what: "HTTP requests by socket: links of refusal, the API, health",
  bytesMax: 60_000,
  crlf: true,
  isAsync: true,
  words: [
    ...[
      "GET /healthz HTTP/1.1\r\n",
      "POST /refuse/REFUSE HTTP/1.1\r\n",
      "GET /agree/AGREE HTTP/1.1\r\n",
      "POST /v1/refusals HTTP/1.1\r\n",
      "GET /v1/consents?advertiser=a&recipient=b HTTP/1.1\r\n",
      "Host: a\r\n",
      "Content-Length: 26\r\n",
      "Transfer-Encoding: chunked\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
      "Connection: close\r\n",
      "Content-Type: application/x-www-form-urlencoded\r\n",
    ],
    ...[
      "Content-Type: application/json\r\n",
      '{"recipient":"a@example.com"}',
      "__proto__",
      "List-Unsubscribe=One-Click",
      "%00",
      "%ff",
      "%2e%2e/",
      "Authorization: Bearer SECRET\r\n",
      "\r\n\r\n",
      "Expect: 100-continue\r\n",
      "Upgrade: websocket\r\n",
    ],
  ],
  async open() {
    const house = await openFuzzedHouse({ listener: '{ door: http, listen: "127.0.0.1:0" }' });
    const token = (kind: "refuse" | "agree"): string =>
      house.house.tokens.make({ kind, advertiser: "shop.example", recipient: "ann@example.com" });
    const links = { REFUSE: token("refuse"), AGREE: token("agree"), SECRET: API_TOKEN };
    return {
      async run(input) {
        const text = input
          .toString("latin1")
          .replace(/REFUSE|AGREE|SECRET/g, (word) => links[word as keyof typeof links]);
        const pieces = text.split(/%%\r?\n/).map((piece) => Buffer.from(piece, "latin1"));
        const heard = (await sayAll(house.port, pieces)).toString("latin1");
        house.noFaults();
        const wrong = [...heard.matchAll(STATUS)]
          .map(([, status = ""]) => status)
          .filter((status) => FORBIDDEN.has(status));
        hold(wrong.length === 0, `answered ${wrong[0]}`);
      },
      close: house.close,
    };
  },
};
