/** Encoded words and Subjects: decoding, folding, the label matcher of every pack. */
import { matchLabel } from "../../../../src/law/label.ts";
import { DECODED_CHARS_MAX, decodeEncodedWords } from "../../../../src/mail/encoded-words.ts";
import { charsetName, decodeBytes, decodeUnlabelled } from "../../../../src/mail/header-charset.ts";
import { decodeEntities } from "../../../../src/mail/html-entities.ts";
import { foldForLabel, readSubject } from "../../../../src/mail/subject.ts";
import { cleanText } from "../../../../src/mail/text-clean.ts";
import { hold, type Target } from "../target.ts";
import { PACKS } from "./packs-known.ts";

const LABELS = PACKS.flatMap(({ label }) => (label ? [label] : []));

export const words: Target = {
  name: "words",
  what: "encoded words, charsets, Subjects, the labels of every pack",
  bytesMax: 262_144,
  corpus: "values",
  words: [
    ...[
      "=?utf-8?B?",
      "=?utf-8?Q?",
      "=?gb2312?B?",
      "=?gb18030?Q?",
      "=?iso-2022-jp?B?",
      "=?utf-8*zh?B?",
      "=?windows-1258?Q?",
      "=?hz-gb-2312?Q?",
      "?=",
      "?= =?",
      "=?",
      "?",
    ],
    ...[
      "5bm/5ZGK",
      "=E5=B9=BF=E5=91=8A",
      "uePQ",
      "=B9=E3=B8=E6",
      "_",
      "=",
      "==",
      "=20",
      "=0D=0A",
      "=00",
      "\x1b$B",
      "\x1b(B",
      "~{9c8f~}",
      "+W38-",
      "+AGE-",
    ],
    ...[
      "AD",
      "[QC]",
      "[TB]",
      "\xe5\xb9\xbf\xe5\x91\x8a",
      "\xe5\xbb\xa3\xe5\x91\x8a",
      "\xb9\xe3\xb8\xe6",
      "Re: ",
      "Fwd: ",
      "[list] ",
      "\xef\xbc\xa1\xef\xbc\xa4",
      "(\xea\xb4\x91\xea\xb3\xa0)",
      "<ADV>",
    ],
    ...[
      "\xe2\x80\x8b",
      "\xe2\x80\xae",
      "\xcc\x81",
      "\xef\xbb\xbf",
      "&#65;",
      "&#x1f600;",
      "&amp;",
      "&#xffffffff;",
      "\xf0\x9d\x90\x80",
      "\xff",
      "\xc0\x80",
      "\xed\xa0\x80",
    ],
  ],
  open: () => ({
    run(input) {
      const value = input.toString("latin1");
      const decoded = decodeEncodedWords(value);
      hold(decoded.length <= DECODED_CHARS_MAX, "more text than the bound");
      const subject = readSubject(value);
      for (const label of LABELS) matchLabel(label, subject);
      foldForLabel(subject);
      cleanText(subject);
      decodeUnlabelled(value.slice(0, DECODED_CHARS_MAX));
      decodeEntities(subject);
      decodeBytes(input.subarray(0, DECODED_CHARS_MAX), charsetName(value.slice(0, 40)));
    },
  }),
};
