import { mailDate } from "../../src/mail/received.ts";

/** An ordinary mail of today, lines ended by \n; `more` are further header lines. */
export const letter = (body = "hello\n", more = ""): string =>
  `From: Bob <bob@sender.example>\nDate: ${mailDate(Date.now())}\n${more}Subject: minutes\n\n${body}`;

export const MAIL = "MAIL FROM:<bob@sender.example>";
export const RCPT = "RCPT TO:<ann@example.com>";
export const EHLO = "EHLO mx.sender.example";
