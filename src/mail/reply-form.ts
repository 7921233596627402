/** What a client may hear: what was wrong, and what would be accepted. */
export interface ReplyForm {
  readonly code: number;
  readonly enhanced: string;
  readonly wrong: string;
  readonly accepted: string;
}

export const form = (code: number, enhanced: string, wrong: string, accepted: string): ReplyForm => ({
  code,
  enhanced,
  wrong,
  accepted,
});
