-- A refusal in words of its own: several lines, code and enhanced code on each, percent signs doubled. A fault: 451.
dofile(DIRECTORY .. "/common.lua")

local conn = open()
letter(conn, "<eom-reply@example.org>", {})
said(conn, SMFIR_REPLYCODE, "eom", mt.eom(conn))
check(mt.eom_check(conn, MT_SMTPREPLY, REPLY, "5.7.1", REPLY_TEXT), "the reply as it was worded")

letter(conn, "<eom-crash@example.org>", { { "X-Edit", " add|X-Never|1" } })
said(conn, SMFIR_REPLYCODE, "eom", mt.eom(conn))
check(mt.eom_check(conn, MT_SMTPREPLY, TROUBLE, "4.3.0", TROUBLE_TEXT), "a fault is a 451")
check(not mt.eom_check(conn, MT_HDRADD), "and edits nothing")

letter(conn, "<a@example.org>", {})
said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
mt.disconnect(conn)
