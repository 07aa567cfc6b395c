#!/usr/bin/env bash
# What action.yml runs: the cases, the gate, the reports. Settings are in WSCONFORM_*, a list has an item a line.
# Exits as `wsconform run` does: it is the gate, by the baseline that it is given.
set -euo pipefail
folder=$(mktemp -d "${RUNNER_TEMP:?}/wsconform-run.XXXXXX")/run
arguments=()

# add OPTION LINES: the option for each line that is not empty; without an OPTION, the lines themselves
add() {
  local line
  while IFS= read -r line; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    [[ -z $line ]] || arguments+=(${1:+"$1"} "$line")
  done <<<"$2"
}

add --cases "${WSCONFORM_CASES:-}"
add --exclude "${WSCONFORM_EXCLUDE:-}"
add --suite "${WSCONFORM_SUITE:-}"
add --limit "${WSCONFORM_LIMITS:-}"
add --baseline "${WSCONFORM_BASELINE:-}"
add --shard "${WSCONFORM_SHARD:-}"
[[ ${WSCONFORM_ALLOW_STALE:-} != true ]] || arguments+=(--allow-stale)
[[ ${WSCONFORM_STRICT:-} != true ]] || arguments+=(--strict)
arguments+=(--output "$folder" --)
add "" "${WSCONFORM_TARGETS:?no target was given}"

status=0
wsconform run "${arguments[@]}" || status=$?
if [[ -f $folder/run.json ]]; then
  echo "folder=$folder" >>"${GITHUB_OUTPUT:?}"
  wsconform report "$folder" --output "$folder/report" \
    --format junit --format markdown --format json --format badge --format shields
  cat "$folder/report/summary.md" >>"${GITHUB_STEP_SUMMARY:?}"
elif ((status == 0)); then
  status=3 # nothing was recorded, so nothing passed
fi
echo "exit-code=$status" >>"${GITHUB_OUTPUT:?}"
exit "$status"
