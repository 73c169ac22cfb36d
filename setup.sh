#!/usr/bin/env bash
# What the Makefile needs before Python can take over: system packages and the virtual environment.
#   setup.sh system        what the daemon needs; fails with one line if it is missing and cannot be installed
#   setup.sh system-test   what some tests need on top; without it those tests are skipped
#   setup.sh venv FOLDER   a virtual environment with a current pip
#   setup.sh torch FOLDER  PyTorch for the CPU, which tests and training need and the daemon does not
#   setup.sh stubs FOLDER  type stubs of TensorRT, for the type checker
set -euo pipefail

TORCH=2.13.0
TENSORRT_STUBS=10.13.0.35.1

say() { printf '%s\n' "$*" >&2; }

python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3.10 python3.13 python3}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "emostream needs Python 3.10 or later: install one, or name it with PYTHON=/path/to/python make ..."
    return 1
}

has_library() { "$(python)" -c "import ctypes; ctypes.CDLL('$1')" 2>/dev/null; }
has_headers() { "$(python)" -c 'import pathlib, sys, sysconfig
sys.exit(not (pathlib.Path(sysconfig.get_path("include")) / "Python.h").exists())'; }
has_file() { compgen -G "$1" >/dev/null; }
has_command() { command -v "$1" >/dev/null; }

missing_for_daemon() {
    has_command cc || echo gcc libc6-dev                          # PyAudio is built from source
    has_file '/usr/include/portaudio.h' || echo portaudio19-dev
    has_headers || echo python3-dev
    "$(python)" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    has_library libGL.so.1 || echo libgl1                         # OpenCV and MediaPipe
    has_library libEGL.so.1 || echo libegl1
    has_library libGLESv2.so.2 || echo libgles2
    has_library libgthread-2.0.so.0 || echo libglib2.0-0
}

missing_for_tests() {
    has_command pulseaudio || echo pulseaudio
    has_command pactl || echo pulseaudio-utils
    has_file '/usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so' || echo libasound2-plugins
    has_command espeak-ng || echo espeak-ng
    has_command ffmpeg || echo ffmpeg
    has_command strace || echo strace
    has_command ip || echo iproute2
    has_command openssl || echo openssl
    has_command systemd-analyze || echo systemd
    has_command chromium || echo chromium
    has_command mosquitto || [ -x /usr/sbin/mosquitto ] || echo mosquitto
}

# Installs the packages named, as far as that is permitted without asking for a password.
install() {
    has_command apt-get || return 1
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || return 1
        root=(sudo -n)
    fi
    say "installing system packages: $*"
    local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)
    local log
    log=$(mktemp)
    if ! { "${apt[@]}" install -y --no-install-recommends "$@" ||
        { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"; }; } >"$log" 2>&1; then
        grep '^E:' "$log" >&2 || tail -n 3 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

system() {
    local packages
    packages=$("missing_for_$1" | xargs)
    [ -z "$packages" ] || install $packages || {
        say "system packages are missing; install them with: sudo apt-get install $packages"
        return 1
    }
}

venv() {
    local folder=$1 chosen
    chosen=$(python)
    if [ ! -x "$folder/bin/python" ]; then
        say "creating $folder with $("$chosen" --version)"
        "$chosen" -m venv "$folder"
    fi
    "$folder/bin/python" -m pip install -qq --upgrade pip
}

torch() {
    local pip=("$1/bin/python" -m pip install -qq --no-deps)
    "$1/bin/python" -c 'import torch' 2>/dev/null && return
    say "installing PyTorch $TORCH for the CPU"
    # The plain release for Linux brings gigabytes of CUDA libraries, so it comes second.
    "${pip[@]}" "torch==$TORCH+cpu" 2>/dev/null || "${pip[@]}" "torch==$TORCH"
}

stubs() {
    local into=$1/stubs
    [ -d "$into/tensorrt" ] && return
    say "installing type stubs of TensorRT $TENSORRT_STUBS"
    # Alone, since they ask for TensorRT itself; in a folder of their own, since they would pass for it.
    "$1/bin/python" -m pip install -qq --no-deps --target "$into.new" "tensorrt-stubs==$TENSORRT_STUBS"
    # Generated from the bindings, they hold two things that are no Python.
    sed -i -e 's/, in: list\[/, in_: list[/' -e 's/channel_axis: int) -> IScaleLayer/channel_axis: int = ...) -> IScaleLayer/' \
        "$into.new/tensorrt_bindings/tensorrt.pyi"
    rm -rf "$into" && mv "$into.new" "$into"
}

case ${1:-} in
    system) system daemon ;;
    system-test) system tests || say "tests that need them will be skipped" ;;
    venv) venv "$2" ;;
    torch) torch "$2" ;;
    stubs) stubs "$2" ;;
    *) say "usage: setup.sh system | system-test | venv FOLDER | torch FOLDER | stubs FOLDER"; exit 2 ;;
esac
