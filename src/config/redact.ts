/** Passwords in URLs: "redis://user:secret@host?sentinelPassword=x" is shown as "redis://user:***@host?sentinelPassword=***". */
export const withoutPasswords = (text: string): string =>
  text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s"]*@/gi, "$1:***@")
    .replace(/([?&]\w*password=)[^\s&"]*/gi, "$1***");
