# A Debian of its own with a real systemd as its first process: made once, booted as often as wanted. Sourced by `run`.
#
#   make_tree        debootstrap into $TREE, unless it is there: the release that this machine runs, where that is a Debian,
#                    because the program needs no older C library than it was built with
#   boot_tree        boots it and waits until it is up
#   inside CMD...    runs a command in it
#   halt_tree        shuts it down
#
# Root is needed. $TREE must not lie in /tmp, and no systemd is ever booted on this machine's own root: its tmpfiles rules
# would empty /tmp.

TREE=${ARTIFICIO_TREE:-/var/lib/artificio-systemd-tree}
CGROUP=artificio-systemd-tree
NSPAWN=
FIRST_PROCESS=

make_tree() {
    local release
    if [ -e "$TREE/.complete" ]; then
        return
    fi
    release=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:-sid}" || echo trixie)
    echo "making a tree of $release in $TREE"
    rm -rf --one-file-system "$TREE"
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd "$release" "$TREE" \
        >"$LOGS/debootstrap.log" 2>&1 || { tail -5 "$LOGS/debootstrap.log"; return 1; }
    rm -f "$TREE"/var/cache/apt/archives/*.deb
    touch "$TREE/.complete"
}

# systemd wants a control group of its own in every hierarchy; of the unified one there is only one.
enter_cgroup() {
    local hierarchy own controller hierarchies=(/sys/fs/cgroup/*)
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        hierarchies=(/sys/fs/cgroup)
        for controller in cpu io memory pids; do
            # Refused where this shell is in a container itself; the checks that need it say so then.
            { echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; } 2>/dev/null || true
        done
    fi
    for hierarchy in "${hierarchies[@]}"; do
        [ -e "$hierarchy/cgroup.procs" ] || continue
        own=$hierarchy/$CGROUP
        mkdir -p "$own"
        if [ -e "$own/cpuset.cpus" ] && [ -e "$hierarchy/cpuset.cpus" ] && [ -z "$(cat "$own/cpuset.cpus")" ]; then
            cat "$hierarchy/cpuset.cpus" >"$own/cpuset.cpus"
            cat "$hierarchy/cpuset.mems" >"$own/cpuset.mems"
        fi
        echo "$BASHPID" >"$own/cgroup.procs" 2>/dev/null || true
    done
}

# The service confines itself with calls that are not among those of a container by default.
boot_tree() {
    # What runs by the day takes dpkg's lock, at whatever moment its hour comes.
    local timer
    for timer in apt-daily apt-daily-upgrade dpkg-db-backup; do
        ln -sf /dev/null "$TREE/etc/systemd/system/$timer.timer"
    done
    (
        enter_cgroup
        exec systemd-nspawn -D "$TREE" --boot --register=no --keep-unit --private-network --private-users=identity \
            --kill-signal=SIGRTMIN+3 --console=pipe \
            --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp"
    ) </dev/null >"$LOGS/boot.log" 2>&1 &
    NSPAWN=$!
    local deadline=$((SECONDS + 60)) state=
    while [ $SECONDS -lt $deadline ]; do
        FIRST_PROCESS=$(pgrep -P "$NSPAWN" -o 2>/dev/null || true)
        if [ -n "$FIRST_PROCESS" ]; then
            state=$(inside systemctl is-system-running 2>/dev/null || true)
            case $state in running | degraded) return 0 ;; esac
        fi
        kill -0 "$NSPAWN" 2>/dev/null || break
        sleep 0.2
    done
    tail -5 "$LOGS/boot.log"
    NSPAWN=
    return 1
}

inside() {
    nsenter -t "$FIRST_PROCESS" --mount --uts --ipc --net --pid --cgroup --root --wd -- "$@"
}

halt_tree() {
    [ -n "$NSPAWN" ] || return 0
    kill -s RTMIN+3 "$FIRST_PROCESS" 2>/dev/null || true
    wait "$NSPAWN" 2>/dev/null || true
    NSPAWN=
}
