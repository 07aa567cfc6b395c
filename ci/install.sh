#!/usr/bin/env bash
# Installs wsconform from the folder $1 into an environment of its own, and puts it on the PATH of later steps.
set -euo pipefail
source=$1
folder=${RUNNER_TEMP:?}/wsconform

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "::error::wsconform needs Python 3.11 or newer; put actions/setup-python before it" >&2
  exit 3
}
if [[ ! -x $folder/bin/wsconform ]]; then
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check -c "$source/constraints.txt" "$source[docker]"
fi
echo "$folder/bin" >>"${GITHUB_PATH:?}"
