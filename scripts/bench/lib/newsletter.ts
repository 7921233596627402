/** What most mail looks like: text and HTML beside each other, quoted-printable, about 4 KB. Scanners have something to read. */

const PARAGRAPHS = [
  "Dear members, the reading room opens an hour earlier from Monday on, and closes at eight as before.",
  "The seed exchange has its table beside the door: bring labelled bags, take what you will sow this spring.",
  "On the ninth we walk along the old canal. Sturdy shoes, no dogs this time, tea at the lock keeper's house.",
  "The choir looks for two altos. Rehearsals are on Thursdays, and nobody has to sing alone.",
  "Minutes of the last meeting are on the board; objections to the secretary until the end of the month.",
];

const html = (paragraph: string, index: number): string =>
  `<tr><td style=3D"padding:12px 24px;font-family:Georgia,serif;color:#333">\n<h2 style=3D"margin:0">News ${index + 1}</h2>\n<p>${paragraph}</p>\n<p><a href=3D"https://club.example/news/${index + 1}">Read on</a></p></td></tr>`;

/** @param sender whose mail it is. @returns headers and body, lines ended by LF, as smtp-source -F takes them */
export function newsletter(sender: string, recipient: string): string {
  const boundary = "part-of-the-newsletter";
  const head = [
    `From: "The Club" <${sender}>`,
    `To: <${recipient}>`,
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${Date.now()}@stranger.example>`,
    "Subject: What the club does in spring",
    "MIME-Version: 1.0",
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
  ];
  const text = PARAGRAPHS.map((each) => each.replace(/(.{1,72})(?: |$)/g, "$1\n")).join("\n");
  const rows = [...PARAGRAPHS, ...PARAGRAPHS.slice(0, 2)].map(html).join("\n");
  return [
    ...head,
    "",
    `--${boundary}`,
    "Content-Type: text/plain; charset=utf-8",
    "",
    text,
    `--${boundary}`,
    "Content-Type: text/html; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    `<html><body bgcolor=3D"#ffffff"><table width=3D"600">\n${rows}\n</table></body></html>`,
    `--${boundary}--`,
    "",
  ].join("\n");
}
