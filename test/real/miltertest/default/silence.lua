-- As the door itself listens: nobody waits after headers and pieces of body, and a refusal found there comes at the end.
dofile(DIRECTORY .. "/common.lua")

local conn = open()
for _, step in ipairs({ SMFIP_NR_HDR, SMFIP_NR_EOH, SMFIP_NR_BODY, SMFIP_NOUNKNOWN }) do
  check(mt.test_option(conn, step), "step " .. step .. " silent or off")
end

letter(conn, "<a@example.org>", { { "Subject", " x" }, { "X-Edit", " add|X-Mark|yes" } })
said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
check(mt.eom_check(conn, MT_HDRADD, "X-Mark", " yes"), "edited")

for _, step in ipairs({ "header", "eoh", "body" }) do
  letter(conn, "<" .. step .. "-reply@example.org>", { { "Subject", " x" }, { "Subject", " y" } })
  said(conn, SMFIR_REPLYCODE, step, mt.eom(conn))
  check(mt.eom_check(conn, MT_SMTPREPLY, REPLY, "5.7.1", REPLY_TEXT), "the reply found at " .. step)

  letter(conn, "<" .. step .. "-crash@example.org>", { { "Subject", " x" } })
  said(conn, SMFIR_REPLYCODE, step, mt.eom(conn))
  check(mt.eom_check(conn, MT_SMTPREPLY, TROUBLE, "4.3.0", TROUBLE_TEXT), "a fault at " .. step)
end

letter(conn, "<a@example.org>", {})
said(conn, SMFIR_CONTINUE, "bytes", mt.bodyrandom(conn, 300000))
said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
mt.disconnect(conn)
