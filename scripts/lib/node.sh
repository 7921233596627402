# Sourced by the scripts here and by bin/consentry: puts a Node that runs TypeScript (22.18 or later) first in PATH. Where
# the machine's own is older, the one that scripts/setup brought from the npm registry is used.
node_is_new() {
  command -v node >/dev/null 2>&1 &&
    node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 18) ? 0 : 1)'
}

use_node() {
  if [ -x "$1/.node/node_modules/node/bin/node" ]; then
    PATH="$1/.node/node_modules/node/bin:$PATH"
    export PATH
  fi
  node_is_new
}
