-- Every command has its answer, every kind of address is understood, and macros arrive.
dofile(DIRECTORY .. "/common.lua")

for _, ip in ipairs({ "127.0.0.1", "2001:db8::7", "unspec" }) do
  local conn = fresh()
  said(conn, SMFIR_CONTINUE, "connect " .. ip, mt.conninfo(conn, "client.example", ip))
  mt.disconnect(conn)
end

local conn = fresh()
mt.macro(conn, SMFIC_CONNECT, "j", "mx.example.net", "{daemon_name}", "demo")
said(conn, SMFIR_CONTINUE, "connect", mt.conninfo(conn, "localhost", "127.0.0.1"))
said(conn, SMFIR_CONTINUE, "helo", mt.helo(conn, "client.example"))
said(conn, SMFIR_CONTINUE, "unknown", mt.unknown(conn, "XFOO bar"))
mt.macro(conn, SMFIC_MAIL, "i", "QUEUEID", "{auth_authen}", "anna")
said(conn, SMFIR_CONTINUE, "mail", mt.mailfrom(conn, "<a@example.org>", "SIZE=100", "BODY=8BITMIME"))
said(conn, SMFIR_CONTINUE, "rcpt", mt.rcptto(conn, "<b@example.org>", "NOTIFY=NEVER"))
said(conn, SMFIR_CONTINUE, "rcpt", mt.rcptto(conn, "<c@example.org>"))
said(conn, SMFIR_CONTINUE, "data", mt.data(conn))
for _, name in ipairs({ "j", "daemon_name", "{auth_authen}", "i", "absent" }) do
  said(conn, SMFIR_CONTINUE, "header", mt.header(conn, "X-Tell", name))
end
said(conn, SMFIR_CONTINUE, "header", mt.header(conn, "Subject", "one\n\ttwo"))
said(conn, SMFIR_CONTINUE, "eoh", mt.eoh(conn))
said(conn, SMFIR_CONTINUE, "body", mt.bodystring(conn, "hello\r\n"))
said(conn, SMFIR_CONTINUE, "body", mt.bodyrandom(conn, 200000))
said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
for _, told in ipairs({ "j=mx.example.net", "daemon_name=demo", "{auth_authen}=anna", "i=QUEUEID", "absent=(none)" }) do
  check(mt.eom_check(conn, MT_HDRADD, "X-Told", " " .. told), told)
end
mt.disconnect(conn)
