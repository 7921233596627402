/**
 * The letters and bits of the milter protocol, by the names Sendmail's and Postfix's sources give them (versions 2 to 6).
 * Nothing is decided here.
 */

/** The newest version spoken; a peer with an older one gets its own. */
export const VERSION_MAX = 6;
export const VERSION_MIN = 2;

/** Longest piece of body in one frame, either way (MILTER_CHUNK_SIZE). */
export const CHUNK_BYTES_MAX = 65_535;

/** Commands: what the MTA sends. */
export const SMFIC = {
  /** `A`: the mail in progress is off. */
  ABORT: 0x41,
  /** `B` */
  BODY: 0x42,
  /** `C` */
  CONNECT: 0x43,
  /** `D`: macros for the command named in the first byte. */
  MACRO: 0x44,
  /** `E`: the mail is complete. */
  BODYEOB: 0x45,
  /** `H` */
  HELO: 0x48,
  /** `K`: this SMTP session is over, another follows on the same connection. */
  QUIT_NC: 0x4b,
  /** `L` */
  HEADER: 0x4c,
  /** `M` */
  MAIL: 0x4d,
  /** `N`: end of headers. */
  EOH: 0x4e,
  /** `O` */
  OPTNEG: 0x4f,
  /** `Q` */
  QUIT: 0x51,
  /** `R` */
  RCPT: 0x52,
  /** `T` */
  DATA: 0x54,
  /** `U`: an SMTP command the MTA does not know. */
  UNKNOWN: 0x55,
} as const;

/** Replies and edits: what the filter sends. */
export const SMFIR = {
  /** `+` */
  ADDRCPT: 0x2b,
  /** `-` */
  DELRCPT: 0x2d,
  /** `2`: with ESMTP parameters. */
  ADDRCPT_PAR: 0x32,
  /** `4`: 421; Postfix takes it, Sendmail calls it bogus. */
  SHUTDOWN: 0x34,
  /** `a` */
  ACCEPT: 0x61,
  /** `b` */
  REPLBODY: 0x62,
  /** `c` */
  CONTINUE: 0x63,
  /** `d` */
  DISCARD: 0x64,
  /** `e` */
  CHGFROM: 0x65,
  /** `f` */
  CONN_FAIL: 0x66,
  /** `h` */
  ADDHEADER: 0x68,
  /** `i` */
  INSHEADER: 0x69,
  /** `l` */
  SETSYMLIST: 0x6c,
  /** `m` */
  CHGHEADER: 0x6d,
  /** `p` */
  PROGRESS: 0x70,
  /** `q` */
  QUARANTINE: 0x71,
  /** `r` */
  REJECT: 0x72,
  /** `s` */
  SKIP: 0x73,
  /** `t` */
  TEMPFAIL: 0x74,
  /** `y` */
  REPLYCODE: 0x79,
} as const;

/** Actions: which edits a filter may ask for. */
export const SMFIF = {
  ADDHDRS: 0x0001,
  CHGBODY: 0x0002,
  ADDRCPT: 0x0004,
  DELRCPT: 0x0008,
  CHGHDRS: 0x0010,
  QUARANTINE: 0x0020,
  CHGFROM: 0x0040,
  ADDRCPT_PAR: 0x0080,
  SETSYMLIST: 0x0100,
} as const;

/** What an MTA of version 2 means when it offers no action bits, and no step bits, at all. */
export const SMFI_V1_ACTS = 0x0f;
export const SMFI_V1_PROT = 0x3f;

/** Protocol steps: NO* asks not to be told, NR_* promises no reply, the others are abilities. */
export const SMFIP = {
  NOCONNECT: 0x0000_0001,
  NOHELO: 0x0000_0002,
  NOMAIL: 0x0000_0004,
  NORCPT: 0x0000_0008,
  NOBODY: 0x0000_0010,
  NOHDRS: 0x0000_0020,
  NOEOH: 0x0000_0040,
  NR_HDR: 0x0000_0080,
  NOUNKNOWN: 0x0000_0100,
  NODATA: 0x0000_0200,
  SKIP: 0x0000_0400,
  RCPT_REJ: 0x0000_0800,
  NR_CONN: 0x0000_1000,
  NR_HELO: 0x0000_2000,
  NR_MAIL: 0x0000_4000,
  NR_RCPT: 0x0000_8000,
  NR_DATA: 0x0001_0000,
  NR_UNKN: 0x0002_0000,
  NR_EOH: 0x0004_0000,
  NR_BODY: 0x0008_0000,
  HDR_LEADSPC: 0x0010_0000,
} as const;

/** Address families of SMFIC_CONNECT. */
export const SMFIA = {
  /** `U` */
  UNKNOWN: 0x55,
  /** `L` */
  UNIX: 0x4c,
  /** `4` */
  INET: 0x34,
  /** `6` */
  INET6: 0x36,
} as const;

/** Stages for which a filter may name the macros it wants. */
export const SMFIM = {
  connect: 0,
  helo: 1,
  mail: 2,
  rcpt: 3,
  data: 4,
  endOfMessage: 5,
  endOfHeaders: 6,
} as const;

export type MacroStage = keyof typeof SMFIM;
