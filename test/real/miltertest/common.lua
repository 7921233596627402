-- Shared by the scripts beside it: opens connections to the demo handler and says what was expected where it differs.
-- PORT and DIRECTORY come from the command line.

REPLY = "550-5.7.1 this is not wanted here\r\n550"
REPLY_TEXT = "accepted: 100%% of anything else"
TROUBLE = "451-4.3.0 something went wrong here, not with you\r\n451"
TROUBLE_TEXT = "accepted: try again later"

function fresh(version, actions, steps)
  local conn = mt.connect("inet:" .. PORT .. "@127.0.0.1")
  if conn == nil then error("no connection") end
  local failed = mt.negotiate(conn, version, actions, steps)
  if failed ~= nil then error("negotiation: " .. failed) end
  return conn
end

-- Connected and greeted.
function open()
  local conn = fresh()
  said(conn, SMFIR_CONTINUE, "connect", mt.conninfo(conn, "localhost", "127.0.0.1"))
  said(conn, SMFIR_CONTINUE, "helo", mt.helo(conn, "client.example"))
  return conn
end

-- What a step was answered with; `failed` is what the mt function returned.
function said(conn, expected, step, failed)
  if failed ~= nil then error(step .. ": " .. failed) end
  local reply = mt.getreply(conn)
  if reply ~= expected then
    error(step .. ": answered " .. string.char(math.floor(reply)) .. ", expected " .. string.char(expected))
  end
end

function check(truth, what)
  if not truth then error("not so: " .. what) end
end

-- A whole mail up to its end; the headers are pairs.
function letter(conn, from, headers)
  said(conn, SMFIR_CONTINUE, "mail", mt.mailfrom(conn, from))
  said(conn, SMFIR_CONTINUE, "rcpt", mt.rcptto(conn, "<bert@example.com>"))
  said(conn, SMFIR_CONTINUE, "data", mt.data(conn))
  for _, field in ipairs(headers) do
    said(conn, SMFIR_CONTINUE, "header", mt.header(conn, field[1], field[2]))
  end
  said(conn, SMFIR_CONTINUE, "eoh", mt.eoh(conn))
  said(conn, SMFIR_CONTINUE, "body", mt.bodystring(conn, "hello\r\n"))
end
