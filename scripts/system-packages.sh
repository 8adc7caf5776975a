#!/usr/bin/env bash
# What Debian or Ubuntu must bring: `system-packages.sh run` for the program, `... test` for its tests besides,
# `... venv` for a Python that cannot make virtual environments.
set -euo pipefail

# OCRmyPDF wants tesseract on PATH even where another engine reads; chromium is for the browser tests.
run_programs=(tesseract)
run_packages=(tesseract-ocr fonts-dejavu-core libgl1 libglib2.0-0)
run_libraries=(libGL.so.1 libgthread-2.0.so.0)  # OpenCV's wheel with the contributed modules is linked to them
test_programs=(chromium pdftotext)  # poppler: a second reader of our text layer
test_packages=(chromium postgresql poppler-utils fonts-dejavu-core fonts-liberation)

case "${1:-run}" in
  run) programs=("${run_programs[@]}") packages=("${run_packages[@]}") ;;
  test) programs=("${run_programs[@]}" "${test_programs[@]}") packages=("${run_packages[@]}" "${test_packages[@]}") ;;
  venv) programs=() packages=(python3.11-venv) run_libraries=() ;;
  *) echo "usage: $0 run|test|venv" >&2; exit 2 ;;
esac

missing=()
for program in "${programs[@]}"; do
  command -v "$program" >/dev/null || missing+=("$program")
done
for library in "${run_libraries[@]}"; do
  [ ! -x /sbin/ldconfig ] || /sbin/ldconfig -p | grep -F "$library" >/dev/null || missing+=("$library")
done
[ "${1:-run}" = venv ] && missing+=(ensurepip)
[ "${1:-run}" = test ] && ! compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && missing+=(postgres)
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    echo "Missing: ${missing[*]}. Install them as an administrator, then run this again:" >&2
    echo "  apt-get install --no-install-recommends ${packages[*]}" >&2
    exit 1
  fi
fi
command -v apt-get >/dev/null || { echo "Missing: ${missing[*]}. This is no Debian or Ubuntu: install them by hand." >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
