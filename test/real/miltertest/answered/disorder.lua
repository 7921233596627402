-- Commands out of order are refused, and with them the mail they came in.
dofile(DIRECTORY .. "/common.lua")

local conn = open()
letter(conn, "<a@example.org>", {})
said(conn, SMFIR_REPLYCODE, "a recipient after the body", mt.rcptto(conn, "<b@example.org>"))
said(conn, SMFIR_REPLYCODE, "the end of that mail", mt.eom(conn))
check(mt.eom_check(conn, MT_SMTPREPLY, TROUBLE, "4.3.0", TROUBLE_TEXT), "with 451")

letter(conn, "<a@example.org>", {})
said(conn, SMFIR_CONTINUE, "the end of the next", mt.eom(conn))
mt.disconnect(conn)
