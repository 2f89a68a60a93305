# The checks, in the order in which they run: each leaves the service running as shipped. Sourced by `run`.

CHECKS=${ARTIFICIO_CHECKS:-"package_at_boot make_install package_install verify exposure start answer page fields warnings standard_error confined reload reload_mistake
    wrong_settings state_folder instance attack killed watchdog stop_in_training memory user_unit package_upgrade package_disabled package_remove
    package_purge package_purge_of_all"}

check_verify() {
    local said
    # The user's manager needs a place of its own.
    said=$(inside systemd-analyze verify --man=no artificio.service artificio@shop.service artificio-web.service artificio-web.socket 2>&1
        inside env XDG_RUNTIME_DIR=/run systemd-analyze verify --man=no --user /usr/lib/systemd/user/artificio.service 2>&1)
    [ -z "$said" ] || { echo "$said"; return 1; }
    echo "systemd-analyze verify says nothing of any unit"
}

exposure_of() {
    inside systemd-analyze security --no-pager "$1" | grep -o "level for $1: [0-9.]*" | grep -o '[0-9.]*$'
}

check_exposure() {
    local score page
    score=$(exposure_of artificio.service)
    page=$(exposure_of artificio-web.service)
    [ -n "$score" ] && awk "BEGIN { exit !($score <= 1.0) }"
    [ -n "$page" ] && awk "BEGIN { exit !($page <= 1.5) }"
    echo "exposure $score, of the page $page"
}

check_start() {
    local start
    inside systemctl stop artificio
    start=$(date +%s%N)
    inside systemctl start artificio
    is_active
    status_has '"state": "ready"'
    [ "$(inside stat -c %U "/proc/$(unit MainPID)")" = artificio ]
    echo "ready after $((($(date +%s%N) - start) / 1000000)) ms: $(unit StatusText)"
}

check_answer() {
    inside cp -r /var/tmp/pictures/db/img_inventory_raw/. $PLACE/db/img_inventory_raw/
    await 120 status_has '"pending": 0'
    ask first
    [ "$(head -c 8 "$TREE$PLACE/answer/result_first.png" | tail -c 7 | head -c 3)" = PNG ]
    [ "$(inside stat -c '%a %U:%G' $PLACE/answer/result_first.png)" = "664 artificio:artificio" ]
    await 60 status_has '"trained_on": [1-9]'
    unit StatusText
}

# What is asked on the page becomes a query, which the page's own user puts there; it is off until it is switched on.
page() { nsenter -t "$FIRST_PROCESS" --net -- curl -s --max-time 20 "$@"; }
check_page() {
    local at=http://127.0.0.1:8484 question time
    command -v curl >/dev/null || { echo "NOT CHECKED: the page (curl is missing)"; exit 77; }
    [ "$(inside systemctl is-enabled artificio-web.socket || true)" = disabled ]
    inside systemctl start artificio-web.socket
    question=$(mktemp)
    picture=$(find "$TREE/var/tmp/pictures/query" -type f | sort | head -1)
    { printf '{"pictures": [{"name": "paged.jpg", "bytes": %d}]}\n' "$(stat -c %s "$picture")"; cat "$picture"; } >"$question"
    page -H 'Content-Type: application/x-artificio-ask' --data-binary "@$question" $at/ask | grep -F '"paged.jpg"'
    rm "$question"
    await 60 answered paged
    [ "$(inside stat -c '%a %U:%G' $PLACE/query/paged.jpg)" = "664 artificio-web:artificio" ]
    time=$(page "$at/answer?key=result_paged" | grep -o '"time":[0-9]*' | grep -o '[0-9]*$')
    # Whole: cut off by a pipe, curl fails.
    page -o "$LOGS/version.jpg" "$at/picture?key=result_paged&at=$time&of=match&n=0&side=360"
    head -c 3 "$LOGS/version.jpg" | od -An -tx1 | grep 'ff d8 ff'
    [ "$(page -o /dev/null -w '%{http_code}' -H 'Host: evil.example' $at/)" = 421 ]
    # The stream has no end of its own.
    { page --no-buffer --max-time 1 $at/events || true; } | grep '"is_running":true'
    [ "$(inside systemctl show artificio-web -p NRestarts --value)" = 0 ]
    [ -z "$(inside setpriv --reuid artificio-web --regid artificio --clear-groups sh -c ": 2>/dev/null >$PLACE/db/state/x" 2>/dev/null && echo written)" ]
    inside systemctl stop artificio-web.socket artificio-web.service
    echo "asked, answered, shown and refused; off again"
}

# A folder that is exchanged is out of reach; the unit starts the service again with the new one.
check_confined() {
    local before
    status_has '"seccomp"'
    status_has '"landlock"' || { echo "NOT CHECKED: Landlock (this kernel or container has none)"; exit 77; }
    before=$(unit NRestarts)
    inside mv $PLACE/answer $PLACE/former
    inside install -d -o artificio -g artificio -m 2775 $PLACE/answer
    await 60 restarts_exceed "$before"
    await 60 is_active
    journal_has 'answer: this folder is not the one that was there at the start'
    ask exchanged
    inside sh -c "rm -r $PLACE/former/.thumbnails && mv $PLACE/former/* $PLACE/answer/ && rmdir $PLACE/former"
    echo "confined by Landlock and seccomp, and started again for an exchanged folder"
}

check_reload() {
    local before
    before=$(unit MainPID)
    inside sed -i 's/^results = .*/results = 3/' $SETTINGS
    inside systemctl reload artificio
    # Without a pause: it came back, so it is done.
    status_has '"reloads": 1'
    journal_has 'new settings in force'
    is_active
    [ "$(unit MainPID)" = "$before" ]
    ask reloaded
    [ "$(grep -c '"rank"' "$TREE$PLACE/answer/result_reloaded.json")" = 3 ]
    # The plain signal, as `Type=notify-reload` would send it.
    signal HUP
    await 60 status_has '"reloads": 2'
    await 60 is_active
    echo "in force when systemctl reload comes back"
}

check_reload_mistake() {
    inside sed -i 's/^results = .*/results = 300/' $SETTINGS
    must_fail inside systemctl reload artificio
    is_active
    inside sed -i 's/^results = .*/results = 5/' $SETTINGS
    inside systemctl reload artificio
    status_has '"problem": null'
    echo "systemctl reload fails, the service keeps the earlier settings"
}

check_wrong_settings() {
    inside systemctl stop artificio
    inside sed -i 's/^results = .*/results = 300/' $SETTINGS
    must_fail inside systemctl start artificio
    sleep 3
    [ "$(unit ExecMainStatus)" = 2 ] && [ "$(unit NRestarts)" = 0 ] && [ "$(unit ActiveState)" = failed ]
    inside sed -i 's/^results = .*/results = 5/' $SETTINGS
    as_shipped
    echo "exit code 2, not started again and again"
}

# A state folder without room: the unit is up, waits, and goes on by itself when there is room.
check_state_folder() {
    local state=$PLACE/db/state
    inside systemctl stop artificio
    inside mount -t tmpfs -o "size=64k,mode=2775,uid=$(inside id -u artificio),gid=$(inside id -g artificio)" tmpfs "$state"
    inside sh -c "cat /dev/zero >$state/filler" || true
    inside systemctl start artificio
    is_active
    unit StatusText | grep 'waiting for the state folder: .*free some space'
    # Longer than five starts would take.
    sleep 15
    is_active
    [ "$(unit NRestarts)" = 0 ]
    inside mount -o remount,size=64m "$state"
    await 20 inside grep -q '"state": "ready"' "$state/status.json"
    inside systemctl stop artificio
    inside umount "$state"
    as_shipped
    echo "up and waiting on a full disk, and goes on when there is room"
}

# A second store has folders and settings of its own, and the first one goes on.
check_instance() {
    local place=/var/lib/artificio-shop picture
    inside cp $SETTINGS /etc/artificio/shop.toml
    inside systemctl start artificio@shop
    is_active
    [ "$(inside systemctl show artificio@shop -p ActiveState --value)" = active ]
    [ "$(inside stat -c '%a %U:%G' $place/query)" = "2775 artificio:artificio" ]
    picture=$(find "$TREE/var/tmp/pictures/query" -type f | sort | head -1)
    inside cp "/${picture#"$TREE/"}" "$place/query/second.${picture##*.}"
    await 60 test -s "$TREE$place/answer/result_second.json"
    [ ! -e "$TREE$PLACE/answer/result_second.json" ]
    inside systemctl stop artificio@shop
    inside rm -r $place /etc/artificio/shop.toml
    echo "a second store answers in its own folder"
}

check_killed() {
    local before
    as_shipped
    before=$(unit NRestarts)
    signal KILL
    await 60 restarts_exceed "$before"
    await 60 is_active
    ask killed
    echo "started again, $(unit NRestarts) restart"
}

check_watchdog() {
    local before
    with_settings WatchdogSec=3s
    before=$(unit NRestarts)
    sleep 7
    [ "$(unit NRestarts)" = "$before" ] || { echo "killed though it lived"; return 1; }
    signal STOP
    await 60 restarts_exceed "$before"
    await 60 is_active
    journal_has 'Watchdog timeout'
    ask watchdog
    as_shipped
    echo "a stopped process was ended by the watchdog, a living one was not"
}

# The processor is taken away, so that the training, which takes a second, is still under way when the stop comes.
check_stop_in_training() {
    local start took
    needs_controller cpu "a stop while training"
    inside cp $SETTINGS /tmp/settings
    inside sed -i 's/^code_width = .*/code_width = 64/; s/^quiet_s = .*/quiet_s = 0/' $SETTINGS
    # As long as nothing is trained, the first look at the pictures trains.
    inside systemctl stop artificio
    inside sh -c "rm -rf $PLACE/db/state/catalog*"
    inside systemctl start artificio
    await 120 status_has '"indexed": [1-9]'
    for _ in $(seq 400); do
        if status_has '"stage"'; then break; fi
        sleep 0.01
    done
    inside systemctl set-property --runtime artificio CPUQuota=3%
    status_has '"stage"' || { echo "no training was under way"; return 1; }
    start=$(date +%s%N)
    inside systemctl stop artificio
    took=$((($(date +%s%N) - start) / 1000000))
    inside cp /tmp/settings $SETTINGS
    inside systemctl revert artificio || true
    inside systemctl set-property --runtime artificio CPUQuota=
    [ "$(unit Result)" = success ] && [ "$took" -le 10000 ]
    as_shipped
    echo "stopped in $took ms with 3 % of a core, while training"
}

# A picture that is within the bounds, and too large for what the service may use here.
check_memory() {
    local before since
    needs_controller memory "MemoryMax"
    since=$(date +%s)
    with_settings MemoryMax=110M MemoryHigh=infinity MemorySwapMax=0
    before=$(unit NRestarts)
    { printf 'BM\066\106\127\011\0\0\0\0\066\0\0\0\050\0\0\0\160\027\0\0\160\027\0\0\001\0\030\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
      head -c 108000000 /dev/urandom; } >"$LOGS/large.bmp"
    inside tee $PLACE/query/large.bmp <"$LOGS/large.bmp" >/dev/null
    await 60 restarts_exceed "$before"
    # With version 1 of control groups systemd sees only the kill.
    inside journalctl -u artificio --since "@$since" --no-pager | grep -E 'oom-kill|status=9/KILL' >/dev/null
    inside rm $PLACE/query/large.bmp
    as_shipped
    ask memory
    echo "killed within its own limit, and started again"
}

check_user_unit() {
    local id
    inside id tester >/dev/null 2>&1 || inside useradd --create-home tester
    id=$(inside id -u tester)
    inside loginctl enable-linger tester
    await 60 inside test -S "/run/user/$id/bus"
    as_tester() { inside runuser -u tester -- env "XDG_RUNTIME_DIR=/run/user/$id" "$@"; }
    as_tester systemctl --user daemon-reload
    as_tester systemctl --user start artificio
    as_tester cp -r /var/tmp/pictures/db/img_inventory_raw/. /home/tester/artificio/db/img_inventory_raw/
    as_tester sh -c 'cp "$(find /var/tmp/pictures/query -type f | sort | head -1)" artificio/query/mine.jpg' || as_tester sh -c 'cp "$(find /var/tmp/pictures/query -type f | sort | head -1)" /home/tester/artificio/query/mine.jpg'
    await 90 test -s "$TREE/home/tester/artificio/answer/result_mine.png"
    as_tester systemctl --user reload artificio
    as_tester systemctl --user stop artificio
    inside loginctl disable-linger tester
    echo "answered in ~/artificio, reloaded and stopped without root"
}
