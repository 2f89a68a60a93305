# What the checks are written with. Sourced by `run`.

PLACE=/var/lib/artificio
SETTINGS=/etc/artificio/artificio.toml
DROP_INS=/run/systemd/system/artificio.service.d

# Runs one check in a shell of its own and writes its line of the table. The last line it prints is the remark.
run_check() {
    local name=$1 start=$SECONDS verdict=PASS
    # Not in an `if`: there bash would go on after a failure.
    (set -eEo pipefail; trap 'echo "failed: $BASH_COMMAND"' ERR; "check_$name") >"$LOGS/$name.log" 2>&1
    case $? in
        0) ;;
        77) verdict="----" ;;
        *)
            verdict=FAIL
            FAILED=$((FAILED + 1))
            inside journalctl -u artificio --no-pager -n 60 >"$LOGS/$name.journal" 2>&1
            # Where the logs are out of reach, as after a run elsewhere, this much has to do, with what the check said last.
            tail -n 20 -q "$LOGS/$name.journal" "$LOGS/$name.log" | cut -c 1-300 | sed 's/^/      /'
            ;;
    esac
    printf '%-4s  %-28s %4d s  %s\n' "$verdict" "$name" $((SECONDS - start)) "$(tail -n 1 "$LOGS/$name.log" | cut -c 1-150)" | tee -a "$TABLE"
}

# Where this machine is a container itself, control groups may be out of reach: needs_controller memory "what is left out"
needs_controller() {
    inside test -d "/sys/fs/cgroup/$1" || inside grep -qw "$1" /sys/fs/cgroup/cgroup.controllers || {
        echo "NOT CHECKED: $2 (no control group for $1 here)"
        exit 77
    }
}

# Waits until a command succeeds: await SECONDS COMMAND...
await() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $deadline ]; then
            echo "this did not happen: $*"
            return 1
        fi
        sleep 0.1
    done
}

unit() { inside systemctl show artificio -p "$1" --value; }
signal() { inside sh -c "kill -$1 $(unit MainPID)"; }
must_fail() { if "$@"; then echo "went well, and must not: $*"; return 1; fi; }
is_active() { [ "$(unit ActiveState)" = active ]; }
status_has() { grep -q -- "$1" "$TREE$PLACE/db/state/status.json"; }
answered() { [ -s "$TREE$PLACE/answer/result_$1.png" ] && [ -s "$TREE$PLACE/answer/result_$1.json" ]; }
restarts_exceed() { [ "$(unit NRestarts)" -gt "$1" ]; }
# Not grep -q: it would leave before journalctl has said all.
journal_has() { inside journalctl -u artificio -o cat --no-pager | grep -- "$1" >/dev/null; }

# A query of the drawn store, put there under a name of its own.
drop() {
    local picture
    picture=$(find "$TREE/var/tmp/pictures/query" -type f | sort | head -1)
    # As a person would: the group may write.
    inside cp "/${picture#"$TREE/"}" "$PLACE/query/$1.${picture##*.}"
}

# Waits for its answer as well.
ask() {
    drop "$1"
    await 60 answered "$1"
}

# Settings of the unit for one check: with_settings "WatchdogSec=3s". They need a restart.
with_settings() {
    inside mkdir -p "$DROP_INS"
    printf '[Service]\n%s\n' "$@" >"$LOGS/drop-in"
    inside tee "$DROP_INS/check.conf" <"$LOGS/drop-in" >/dev/null
    inside systemctl daemon-reload
    inside systemctl restart artificio
}

as_shipped() {
    inside rm -rf "$DROP_INS"
    inside systemctl daemon-reload
    inside systemctl reset-failed artificio || true
    inside systemctl restart artificio
}

draw_pictures() {
    if [ -e "$TREE/var/tmp/pictures/.complete" ]; then
        return
    fi
    echo "drawing pictures"
    rm -rf "$TREE/var/tmp/pictures"
    timeout 120 "$PROGRAM" demo "$TREE/var/tmp/pictures" >"$LOGS/demo.log" 2>&1 || { tail -5 "$LOGS/demo.log"; return 1; }
    touch "$TREE/var/tmp/pictures/.complete"
}

# What an earlier run or check left.
wipe_installation() {
    if [ -n "$NSPAWN" ]; then
        inside systemctl disable --quiet --now artificio || true
    fi
    chroot "$TREE" dpkg --purge artificio >/dev/null 2>&1 || true
    make -s uninstall PREFIX=/usr DESTDIR="$TREE"
    # Entries of an earlier run would count for this one.
    [ -n "$NSPAWN" ] || rm -rf "$TREE"/var/log/journal/*
    rm -rf "$TREE$PLACE" "$TREE/etc/artificio" "$TREE/etc/systemd/system/artificio.service.d" "$TREE"/home/tester/artificio
    if [ -n "$NSPAWN" ]; then
        inside systemctl daemon-reload
    fi
}
