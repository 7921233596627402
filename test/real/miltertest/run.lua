-- Runs the script named on the command line and says why it failed; miltertest by itself only exits with 1.
local ok, why = pcall(dofile, DIRECTORY .. "/" .. SCRIPT)
if not ok then
  print(why)
  os.exit(1)
end
