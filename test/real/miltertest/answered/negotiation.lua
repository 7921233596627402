-- An MTA of today is asked for every edit and for no silence; one of version 2 only for what it has.
dofile(DIRECTORY .. "/common.lua")

local conn = fresh()
for _, action in ipairs({ SMFIF_ADDHDRS, SMFIF_CHGBODY, SMFIF_ADDRCPT, SMFIF_DELRCPT, SMFIF_CHGHDRS, SMFIF_QUARANTINE,
  SMFIF_CHGFROM, SMFIF_ADDRCPT_PAR }) do
  check(mt.test_action(conn, action), "action " .. action .. " asked for")
end
for _, step in ipairs({ SMFIP_NR_HDR, SMFIP_NR_EOH, SMFIP_NR_BODY, SMFIP_NOUNKNOWN, SMFIP_NOBODY, SMFIP_RCPT_REJ }) do
  check(not mt.test_option(conn, step), "step " .. step .. " left on")
end
check(mt.test_option(conn, SMFIP_SKIP), "skip understood")
check(mt.test_option(conn, SMFIP_HDR_LEADSPC), "blanks left alone")
mt.disconnect(conn)

-- miltertest 1.5 swaps its last two arguments on the wire; alike, it does not matter.
local old = fresh(2, 0x3f, 0x3f)
check(not mt.test_action(old, SMFIF_CHGFROM), "no change of sender asked for")
check(mt.test_action(old, SMFIF_QUARANTINE), "quarantine asked for")
check(not mt.test_option(old, SMFIP_HDR_LEADSPC), "no blanks asked for")
said(old, SMFIR_CONTINUE, "connect", mt.conninfo(old, "localhost", "127.0.0.1"))
said(old, SMFIR_CONTINUE, "helo", mt.helo(old, "client.example"))
said(old, SMFIR_CONTINUE, "mail", mt.mailfrom(old, "<a@example.org>"))
said(old, SMFIR_CONTINUE, "rcpt", mt.rcptto(old, "<b@example.org>"))
said(old, SMFIR_CONTINUE, "header", mt.header(old, "X-Edit", "add|X-Mark|yes"))
said(old, SMFIR_CONTINUE, "eoh", mt.eoh(old))
said(old, SMFIR_CONTINUE, "eom", mt.eom(old))
check(mt.eom_check(old, MT_HDRADD, "X-Mark", "yes"), "the MTA adds the blank")
mt.disconnect(old)
