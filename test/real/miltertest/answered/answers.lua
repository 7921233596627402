-- Each answer at each step.
dofile(DIRECTORY .. "/common.lua")

local answers = {
  accept = SMFIR_ACCEPT,
  reject = SMFIR_REJECT,
  tempfail = SMFIR_TEMPFAIL,
  reply = SMFIR_REPLYCODE,
  shutdown = SMFIR_REPLYCODE,
  crash = SMFIR_REPLYCODE,
  -- SMFIR_CONN_FAIL; miltertest 1.5 has no name for it.
  ["connection-fail"] = string.byte("f"),
}

for word, letter in pairs(answers) do
  local conn = fresh()
  said(conn, letter, "connect-" .. word, mt.conninfo(conn, "connect-" .. word .. ".example", "127.0.0.1"))
  mt.disconnect(conn)
  conn = fresh()
  said(conn, SMFIR_CONTINUE, "connect", mt.conninfo(conn, "localhost", "127.0.0.1"))
  said(conn, letter, "helo-" .. word, mt.helo(conn, "helo-" .. word .. ".example"))
  mt.disconnect(conn)
end

answers.discard = SMFIR_DISCARD
local steps = { "mail", "rcpt", "data", "header", "eoh", "body", "eom" }
local calls = {
  mail = function(conn, from) return mt.mailfrom(conn, from) end,
  rcpt = function(conn, _, to) return mt.rcptto(conn, to) end,
  data = function(conn) return mt.data(conn) end,
  header = function(conn) return mt.header(conn, "Subject", "x") end,
  eoh = function(conn) return mt.eoh(conn) end,
  body = function(conn) return mt.bodystring(conn, "hello\r\n") end,
  eom = function(conn) return mt.eom(conn) end,
}
for word, letter in pairs(answers) do
  for _, last in ipairs(steps) do
    -- Nor does it know that it ends the end of a mail.
    if word == "connection-fail" and last == "eom" then break end
    local wish = "<" .. last .. "-" .. word .. "@example.org>"
    local conn = open()
    for _, step in ipairs(steps) do
      local expected = step == last and letter or SMFIR_CONTINUE
      local to = last == "rcpt" and wish or "<b@example.org>"
      said(conn, expected, wish .. " at " .. step, calls[step](conn, wish, to))
      if step == last then break end
    end
    mt.disconnect(conn)
  end
end

local conn = open()
said(conn, SMFIR_CONTINUE, "mail", mt.mailfrom(conn, "<body-skip@example.org>"))
said(conn, SMFIR_SKIP, "body", mt.bodystring(conn, "hello\r\n"))
said(conn, SMFIR_CONTINUE, "eom", mt.eom(conn))
mt.disconnect(conn)
