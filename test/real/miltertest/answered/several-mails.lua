-- One connection, many mails: finished, aborted, refused at one recipient, begun anew; none leaves anything to the next.
dofile(DIRECTORY .. "/common.lua")

local conn = open()
for i = 1, 3 do
  letter(conn, "<a@example.org>", { { "X-Edit", " add|X-Count|" .. i } })
  said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
  check(mt.getheader(conn, "X-Count", 0) == " " .. i, "edit of mail " .. i)
end

mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "anna")
said(conn, SMFIR_CONTINUE, "mail", mt.mailfrom(conn, "<body-reject@example.org>"))
said(conn, SMFIR_CONTINUE, "rcpt", mt.rcptto(conn, "<b@example.org>"))
mt.abort(conn)
mt.abort(conn)
letter(conn, "<a@example.org>", { { "X-Tell", "auth_authen" } })
said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
check(mt.getheader(conn, "X-Told", 0) == " auth_authen=(none)", "the macros of the aborted mail are gone")

said(conn, SMFIR_CONTINUE, "mail", mt.mailfrom(conn, "<a@example.org>"))
said(conn, SMFIR_REPLYCODE, "rcpt", mt.rcptto(conn, "<rcpt-reply@example.org>"))
said(conn, SMFIR_REJECT, "rcpt", mt.rcptto(conn, "<rcpt-reject@example.org>"))
said(conn, SMFIR_CONTINUE, "rcpt", mt.rcptto(conn, "<b@example.org>"))
said(conn, SMFIR_CONTINUE, "data", mt.data(conn))
said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
mt.disconnect(conn)

conn = open()
said(conn, SMFIR_CONTINUE, "mail", mt.mailfrom(conn, "<a@example.org>"))
mt.disconnect(conn, false)
