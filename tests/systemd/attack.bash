# A member of the service's group does what `attacker.pl` lists, without pause, while another one asks every five seconds. Sourced by
# `run`. ARTIFICIO_ATTACK_S says for how many seconds; ten minutes before a release:
#
#   ARTIFICIO_ATTACK_S=600 ARTIFICIO_CHECKS="package_install answer attack" tests/systemd/run PROGRAM PACKAGE

SECRETS=/var/lib/artificio-secrets

# The path of the best match.
top_match() { inside sed -n 's/^ *"path": "\(.*\)",\?$/\1/p' "$PLACE/answer/result_$1.json" | sed -n 2p; }
main_process() { unit MainPID; }
peak_kb() { inside sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }

check_attack() {
    local seconds=${ARTIFICIO_ATTACK_S:-20} process restarts expected hash sums attacker deadline start took longest=0 waits=() asked=0 picture user
    for user in honest mallory; do
        inside id $user >/dev/null 2>&1 || inside useradd --no-create-home --groups artificio $user
    done
    # Only the service may read these. Were a link to one followed, its text would stand in an answer, or its hash.
    inside install -d -m 700 -o artificio -g artificio $SECRETS
    inside sh -c "echo 'SECRET = [1' >$SECRETS/secret.txt"
    picture=$(inside find /var/tmp/pictures/query -type f | sort | tail -1)
    inside cp "$picture" $SECRETS/secret.png
    inside sh -c "echo >>$SECRETS/secret.png; chmod 600 $SECRETS/*; chown artificio:artificio $SECRETS/*"
    inside install -m 644 $SECRETS/secret.png $PLACE/query/hash-of-the-secret.png
    await 60 answered hash-of-the-secret
    hash=$(inside sed -n 's/^ *"blake3": "\([0-9a-f]*\)".*/\1/p' $PLACE/answer/result_hash-of-the-secret.json | head -1)
    [ ${#hash} = 64 ]
    inside sh -c "rm $PLACE/query/hash-of-the-secret.png $PLACE/answer/result_hash-of-the-secret.*"
    # Mallory may put copies and damaged copies of the best match into the inventory: it need not be the best then, but be found.
    inside sed -i 's/^results = .*/results = 40/' $SETTINGS
    inside systemctl reload artificio
    sums=$(inside sh -c "sha256sum $SECRETS/* $SETTINGS")

    ask before-the-attack
    expected=$(top_match before-the-attack)
    [ -n "$expected" ]
    process=$(main_process) restarts=$(unit NRestarts)
    inside tee /var/tmp/attacker.pl <tests/systemd/attacker.pl >/dev/null
    inside runuser -u mallory -g artificio -- perl /var/tmp/attacker.pl "$seconds" $PLACE $SECRETS "$hash" /var/tmp/pictures/db/img_inventory_raw \
        >"$LOGS/attack.got" 2>"$LOGS/attack.times" </dev/null &
    attacker=$!
    # Its number now: at the end of the shell the function's variables are gone.
    trap "end_attack $attacker" EXIT
    deadline=$((SECONDS + seconds))
    while [ $SECONDS -lt $deadline ]; do
        asked=$((asked + 1))
        start=$(date +%s%N)
        inside runuser -u honest -g artificio -- cp "$(first_query)" "$PLACE/query/honest-$asked.jpg"
        await 120 answered "honest-$asked"
        took=$((($(date +%s%N) - start) / 1000000))
        waits+=("$took")
        [ "$took" -le "$longest" ] || longest=$took
        inside grep -qF "\"$expected\"" "$PLACE/answer/result_honest-$asked.json" || { echo "$expected was not found"; return 1; }
        sleep 5
    done
    wait $attacker
    cat "$LOGS/attack.times"
    [ ! -s "$LOGS/attack.got" ] || { sort "$LOGS/attack.got" | uniq -c; return 1; }
    [ "$(main_process)" = "$process" ] && [ "$(unit NRestarts)" = "$restarts" ]
    [ "$(inside sh -c "sha256sum $SECRETS/* $SETTINGS")" = "$sums" ]
    must_fail inside sh -c "grep -lE 'SECRET|$hash' $PLACE/answer/*.json $PLACE/answer/*.html"
    journal_has 'is not what was written' && { echo "the catalog was damaged"; return 1; }
    echo "$asked questions under $seconds s of attack, waits of $(median "${waits[@]}") ms (longest $longest), peak $(($(peak_kb "$process") / 1024)) MB, nothing read or written"
}

# What a check that fails half-way leaves must not burden the next ones.
end_attack() {
    set +e
    kill "$1"
    # There is no pkill in a minimal Debian.
    inside sh -c 'for process in /proc/[0-9]*; do
        [ "$(stat -c %U "$process")" != mallory ] || kill -KILL "${process#/proc/}"
    done'
    inside sh -c "rm -rf $PLACE/query/* $PLACE/answer/result_evil-* $PLACE/db/*/evil-*"
    inside sed -i 's/^results = .*/results = 5/' $SETTINGS
    inside systemctl reload artificio
} >/dev/null 2>&1

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }
first_query() { inside find /var/tmp/pictures/query -type f | sort | head -1; }
