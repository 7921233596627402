/** What tests use of mailparser, which comes without types. */
declare module "mailparser" {
  export function simpleParser(source: Buffer): Promise<{ readonly subject?: string; readonly text?: string }>;
}
