/** Whole mails: the MIME tree, the text a reader sees, and everything that is told from it. */
import { readFileSync } from "node:fs";
import { CONTENT_ITEMS } from "../../../../src/law/pack.ts";
import { Headers } from "../../../../src/mail/headers.ts";
import { type Part, WALK_LIMITS, walkMail } from "../../../../src/mail/mime-walk.ts";
import { TEXT_LIMITS } from "../../../../src/mail/text.ts";
import { judge } from "../../../../src/signals/classifier.ts";
import { hasContent } from "../../../../src/signals/contents.ts";
import { fingerprintOf } from "../../../../src/signals/fingerprint.ts";
import { loadModel } from "../../../../src/signals/model.ts";
import { readMail } from "../../../../src/signals/read.ts";
import { anotherTurn, hold, type Target } from "../target.ts";
import { withinBounds } from "./bounds.ts";

const MODEL = new URL("../../../../config/models/advertising.bin", import.meta.url);

export const mime: Target = {
  name: "mime",
  what: "whole mails: MIME, transfer encodings, charsets, HTML, what is told of them",
  bytesMax: 1_100_000,
  corpus: "mails",
  crlf: true,
  words: [
    ...[
      "Content-Type: multipart/mixed; boundary=b\r\n",
      'Content-Type: multipart/alternative; boundary="b b"\r\n',
      "--b\r\n",
      "--b--\r\n",
    ],
    ...[
      "Content-Type: message/rfc822\r\n\r\n",
      "Content-Type: text/html; charset=gb18030\r\n",
      "Content-Transfer-Encoding: base64\r\n\r\n",
    ],
    ...[
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
      "=E5=B9=BF=E5=91=8A",
      "=\r\n",
      "5bm/5ZGK",
      "charset=iso-2022-jp",
      "\x1b$B",
      "\x1b(B",
      "~{",
      "~}",
    ],
    ...[
      "charset*0*=utf-8''a;charset*1=b",
      '<a href="https://x.example/u">',
      "<style>.a{display:none}</style>",
      '<div style="color:#fff;font-size:0">',
      "&#x200b;",
    ],
    ...[
      "<!--",
      "-->",
      "<script>",
      "</",
      "<table><tr><td>",
      "&nbsp;",
      "\xe2\x80\x8b",
      "\xf0\x9d\x90\x80",
      "https://x.example/",
      "\r\n\r\n",
      "begin 644 a\r\n",
    ],
  ],
  open() {
    const model = loadModel(readFileSync(MODEL));
    return {
      async run(mail) {
        let parts = 0;
        const visit = (part: Part): void => {
          parts += 1;
          if (part.kind !== "leaf") return part.children.forEach(visit);
          hold(part.start >= 0 && part.start <= part.end && part.end <= mail.length, "a part outside of its mail");
        };
        visit(walkMail(mail.subarray(0, TEXT_LIMITS.mailBytesMax)).root);
        hold(parts <= WALK_LIMITS.partsMax + 1, "more parts than the bound");
        const end = mail.indexOf("\r\n\r\n");
        const headers = Headers.parse(withinBounds(end < 0 ? mail : mail.subarray(0, end + 4)));
        await anotherTurn();
        const read = readMail(headers, mail);
        hold(read.text.text.length <= TEXT_LIMITS.textCharsMax, "more text than the bound");
        hold(read.text.links.length <= TEXT_LIMITS.linksMax, "more links than the bound");
        const { words, advertising } = judge(read, model);
        hold(advertising >= 0 && advertising <= 1, "a probability that is none");
        fingerprintOf(words);
        await anotherTurn();
        for (const item of CONTENT_ITEMS) hasContent(item, { headers, text: read.text }, []);
      },
    };
  },
};
