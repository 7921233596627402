/** Octets of text for each encoded word: 45 are 60 in base64 (RFC 2047 section 2: at most 75 with the rest). */
const WORD_BYTES = 45;

/** A header's text as RFC 2047 encoded words in UTF-8, folded and cut between characters; plain ASCII stays as it is. */
export function writeWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  words.push(word);
  return words.map((each) => `=?utf-8?B?${Buffer.from(each).toString("base64")}?=`).join("\r\n ");
}
