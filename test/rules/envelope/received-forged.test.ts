import { receivedForged } from "../../../src/rules/envelope/received-forged.ts";
import { HOSTNAME, OUR_ID } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const AT = "Sun, 22 Nov 2026 07:30:00 +0000";
const caught = "header: reject received-forged";
const hop = (text: string) => ({ with: `Received: ${text}` });

testRule(receivedForged, {
  letsThrough: [
    ["no trace at all", {}],
    ["the trace of other servers", hop(`from a.example ([192.0.2.1]) by mx.b.example with ESMTPS id 4XYZ; ${AT}`)],
    [
      "our own line, with an id that we gave",
      hop(`from a.example ([192.0.2.1])\n\tby ${HOSTNAME} (consentry) with ESMTP id ${OUR_ID};\n\t${AT}`),
    ],
    ["our name as the one it came from", hop(`from ${HOSTNAME} by mx.b.example id 1; ${AT}`)],
    ["our name in a comment", hop(`from a.example by mx.b.example (for by ${HOSTNAME}) id 1; ${AT}`)],
    ["our name as part of another", hop(`from a.example by not${HOSTNAME} id 1; ${AT}`)],
    [
      "localhost, which is anybody's",
      { ...hop(`from localhost by localhost with ESMTP id 1; ${AT}`), hostname: "localhost" },
    ],
    ["qmail's dates and forms", hop("(qmail 12345 invoked by uid 0); 22 Nov 2026 07:30:00 -0000")],
    ["no date", hop("from a.example by mx.b.example id 1")],
    ["a clock a day ahead", hop("from a by b.example; Mon, 23 Nov 2026 07:30:00 +0000")],
  ],
  catches: [
    ["our name with an id we never gave", hop(`from a.example by ${HOSTNAME} with ESMTP id FAKE; ${AT}`), caught],
    ["our name without an id", hop(`from a.example by ${HOSTNAME} with ESMTP; ${AT}`), caught],
    ["our name in capitals", hop(`from a.example BY ${HOSTNAME.toUpperCase()} id FAKE; ${AT}`), caught],
    ["our name with the root's dot", hop(`from a.example by ${HOSTNAME}. id FAKE; ${AT}`), caught],
    ["our name after a tab and a comment", hop(`from a.example\tby\t(really)\t${HOSTNAME} id FAKE; ${AT}`), caught],
    ["folded between the words", hop(`from a.example by\n ${HOSTNAME} id FAKE; ${AT}`), caught],
    ["an id of ours in a comment only", hop(`from a.example by ${HOSTNAME} (id ${OUR_ID}) id FAKE; ${AT}`), caught],
    ["a decoy: two by clauses", hop(`from by by mx.b.example by ${HOSTNAME} id FAKE; ${AT}`), caught],
    ["a decoy: comments in comments", hop(`from a (HELO (b) by c.example) by ${HOSTNAME} id FAKE; ${AT}`), caught],
    [
      "the second of three lines",
      hop(
        `from a by b.example; ${AT}\nReceived: from c by ${HOSTNAME} id 1; ${AT}\nReceived: from d by e.example; ${AT}`,
      ),
      caught,
    ],
    [
      "a passage of next week",
      hop("from a by b.example; Sun, 29 Nov 2026 08:00:01 +0000"),
      "header: note a Received line from the future",
    ],
    [
      "a passage ahead of the bound the operator set",
      { ...hop("from a by b.example; Sun, 22 Nov 2026 12:00:00 +0000"), options: { futureHoursMax: 1 } },
      "header: note a Received line from the future",
    ],
  ],
});
